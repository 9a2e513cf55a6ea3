import { unreachable } from '@interlock/contracts'
import { sayAction, sayRollout } from './say/course.ts'
import type { Fact } from './say/fact.ts'
import { sayJudged } from './say/judged.ts'
import { sayMeasured } from './say/measured.ts'
import { type Message, saidOf } from './say/message.ts'
import type { Said } from './say/said.ts'
import { sayShadow } from './say/shadow.ts'
import { sayCommand, sayHelp, sayWatch } from './say/state.ts'

/**
 * Puts a fact into plain words: what, how much, since when, how sure, so what, what was done. Pure: equal facts give
 * equal texts and hashes, so that console, CLI, alert and ledger say the same. English; times are UTC.
 */
export function say(fact: Fact): Said {
  return saidOf(messageOf(fact))
}

function messageOf(fact: Fact): Message {
  switch (fact.kind) {
    case 'distribution-differs':
    case 'feature-missing':
    case 'feature-unseen':
    case 'feature-invalid':
    case 'error-rate':
    case 'duplicate-rate':
    case 'slow-answers':
    case 'predictions-differ':
    case 'mean-moved':
    case 'amount-differs':
    case 'silence':
      return sayMeasured(fact)
    case 'within-limit':
    case 'towards-limit':
    case 'not-enough-data':
    case 'gate-not-yet':
    case 'early-warning':
    case 'gate-safe':
    case 'rule-not-watched':
    case 'cause':
      return sayJudged(fact)
    case 'registered':
    case 'approved':
    case 'refused':
    case 'rollout-started':
    case 'promoted':
    case 'shadow-started':
    case 'completed':
    case 'aborted':
    case 'stage':
    case 'steady':
      return sayRollout(fact)
    case 'held':
    case 'held-early':
    case 'released':
    case 'halted':
    case 'ramped-down':
    case 'rolled-back':
    case 'fell-back':
    case 'restored':
    case 'verified':
    case 'data-incident':
    case 'source-incident':
    case 'expired':
      return sayAction(fact)
    case 'disagreement':
      return sayShadow(fact)
    case 'not-watched':
    case 'watched-again':
    case 'engine':
    case 'brake':
    case 'ledger-behind':
    case 'ledger-caught-up':
    case 'keyset-expired':
      return sayWatch(fact)
    case 'command':
    case 'escalated':
    case 'waits-for-rows':
    case 'waits-for-time':
    case 'waits-for-counting':
    case 'waits-for-hold':
    case 'waits-for-approval':
    case 'waits-for-readiness':
    case 'waits-for-command':
    case 'waits-for-guard':
      return sayCommand(fact)
    case 'asked-nothing':
    case 'asked-review':
    case 'asked-data':
    case 'asked-router':
    case 'asked-data-flow':
    case 'asked-ledger':
    case 'asked-keys':
    case 'asked-decision':
      return sayHelp(fact)
    default:
      return unreachable(fact)
  }
}
