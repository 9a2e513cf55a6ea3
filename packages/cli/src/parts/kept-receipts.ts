import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReceiptPlan } from '@interlock/console'
import { type AnyOut, type Hash, isProbe } from '@interlock/contracts'
import { receiptLines } from '../receipt/lines.ts'
import { writeReceipt } from '../receipt/write.ts'
import { personKey } from '../requester.ts'
import { receiptLister } from './receipt.ts'
import type { Part, Wiring } from './wiring.ts'

/** After a withdrawal is verified its last answers may still be on their way. */
const settleMs = 60_000
/** Events are kept a day: an older withdrawal would make a receipt of what is left. */
const makeWithinMs = 20 * 3_600_000
const lookMs = 1_000
const attempts = 3

/** Folder of the receipts that are made without being asked for. */
export function receiptFolder(data: string): string {
  return join(data, 'receipts')
}

/**
 * Makes the receipt of every withdrawal once it is verified, before its records expire; signed with the operator's key. One
 * that is there already is left alone.
 */
export interface KeptReceipts {
  /** Takes the governor's outs in their order. */
  see(out: AnyOut): void
  readonly part: Part
}

type Kept = Pick<Wiring, 'config' | 'log' | 'clock' | 'logger'>

/** @param planOf  of a deployment's last withdrawal, or of one by its decision's hash; null where it is not known */
export function keptReceipts(
  { config, log, clock, logger }: Kept,
  planOf: (of: string) => ReceiptPlan | null,
  waitMs = settleMs,
): KeptReceipts {
  /** Receipts to make, by decision: when, and how often it was tried. */
  const due = new Map<Hash, { readonly at: number; tried: number }>()
  const list = receiptLister(log)

  const make = async (decision: Hash): Promise<void> => {
    const plan = planOf(decision)
    if (plan === null) return
    const file = join(receiptFolder(config.data), `${plan.deployment}-${plan.decision}.jsonl`)
    if (existsSync(file)) return
    await mkdir(receiptFolder(config.data), { recursive: true, mode: 0o700 })
    const { signer } = await personKey(config, config.operator)
    const who = { person: config.operator, signer, now: clock.now() }
    const { end, complete } = await writeReceipt(file, receiptLines(plan, list), who)
    logger.info({ file, rows: end.rows, late: end.late, complete }, 'the receipt of a withdrawal was made')
  }

  return {
    see(out) {
      if (out.kind !== 'decision' || out.outcome !== 'verified' || isProbe(out.deployment)) return
      if (clock.now() - out.at > makeWithinMs) return
      const plan = planOf(out.deployment)
      if (plan?.verified?.decision === out.id) due.set(plan.decision, { at: out.at + waitMs, tried: 0 })
    },
    part: async (signal) => {
      while (!signal.aborted) {
        await clock.sleep(lookMs, signal)
        for (const [decision, one] of due) {
          if (signal.aborted || one.at > clock.now()) continue
          one.tried++
          try {
            await make(decision)
            due.delete(decision)
          } catch (error) {
            // A receipt can still be asked for: nothing that watches may end because of it.
            logger.warn({ err: error, decision, tried: one.tried }, 'the receipt of a withdrawal was not made')
            if (one.tried >= attempts) due.delete(decision)
          }
        }
      }
    },
  }
}
