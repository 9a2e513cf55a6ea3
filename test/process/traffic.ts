import type { Prediction } from '@interlock/contracts'
import { seededRandom } from '@interlock/runtime'
import { nextVersion, version } from './small-deployment.ts'
import type { WatchedDeployment } from './watched-deployment.ts'

/** Rows of one message, and milliseconds between two of them. */
const rows = 60
const everyMs = 150

/**
 * Production traffic of the stand-in: what its state says is who answers. Goes on until it is stopped; a message that
 * Interlock does not take is an error then.
 *
 * @param ofCandidateOnly what is different about the candidate's answers
 */
export function startTraffic(
  toy: WatchedDeployment,
  seed: number,
  ofCandidateOnly: Partial<Prediction> = {},
): { stop(): Promise<void> } {
  const random = seededRandom(seed)
  let isOn = true
  const run = async (): Promise<void> => {
    while (isOn) {
      const { generation, candidate, share } = toy.router.state()
      const ofCandidate =
        candidate === null ? 0 : Array.from({ length: rows }, random).filter((at) => at < share).length
      const send = async (count: number, changes: Partial<Prediction>): Promise<void> => {
        if (count > 0) await toy.send(count, { generation, ...changes })
      }
      await send(rows - ofCandidate, { version, variant: 'stable' })
      await send(ofCandidate, { version: nextVersion, variant: 'candidate', ...ofCandidateOnly })
      await new Promise((tick) => setTimeout(tick, everyMs))
    }
  }
  const running = run()
  running.catch(() => undefined) // whoever stops it hears of it
  return {
    stop: () => {
      isOn = false
      return running
    },
  }
}
