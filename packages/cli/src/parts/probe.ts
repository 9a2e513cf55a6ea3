import { commandCheck, memoryPlatform, type Platform, runAgent } from '@interlock/agent'
import {
  type KeysetDocument,
  type ProbeProgress,
  probeDeployment,
  type Signer,
  signFact,
  topics,
} from '@interlock/contracts'
import { createProbe, digestOf, probeAgent, probePeople, probeStable } from '@interlock/probe'
import { submitAs } from './introduce.ts'
import type { Part, Wiring } from './wiring.ts'

export interface ProbeKeys {
  readonly deployer: Signer
  readonly approver: Signer
  readonly agent: Signer
  readonly keyset: () => KeysetDocument
}

/** The synthetic deployment, and the agent of its own platform, which is in memory and serves nobody. */
export interface ProbeParts {
  readonly probe: Part
  readonly agent: Part
  readonly progress: () => ProbeProgress
}

export function probeParts(wiring: Wiring, keys: ProbeKeys): ProbeParts {
  const { config, log, clock } = wiring
  const { environment, tenant } = config
  const logger = wiring.logger.child({ part: 'probe' })
  const platform = memoryPlatform({
    generation: 0,
    stable: digestOf(probeStable),
    candidate: null,
    share: 0,
    shadow: false,
    fallback: false,
  })
  const { deployer, approver } = probePeople
  const probe = createProbe({
    ...{ log, clock, logger, environment, tenant, random: wiring.random },
    deployer: submitAs(log, environment, deployer.id, keys.deployer),
    approver: submitAs(log, environment, approver.id, keys.approver),
    observe: () => platform.observe(),
  })
  const guarded: Platform = { ...platform, targets: async () => probe.targets() }
  const mine = { environment, agent: probeAgent, deployments: new Set([probeDeployment]) }
  const agent: Part = (signal) =>
    runAgent(
      {
        ...{ log, topics, clock, environment },
        agent: probeAgent,
        platforms: new Map([[probeDeployment, guarded]]),
        // Nobody else changes this platform: it need not be looked at as often as a real one.
        observeEveryMs: 2_000,
        readinessEveryMs: 5_000,
        verify: commandCheck(mine, keys.keyset, clock.now),
        sign: (fact) => signFact(fact, keys.agent),
        tell: (level, message, details) => logger[level](details, message),
      },
      signal,
    )
  return { probe: (signal) => probe.run(signal), agent, progress: probe.progress }
}
