/**
 * A deployer agent for a serving platform of one's own, in one file: say how to look at the platform, how to check an
 * artifact, and how to change it. Keys, orders, grants, restarts and facts are the SDK's business.
 */
import * as sdk from '@interlock/client/agent'

const base = process.env.INTERLOCK_PLATFORM_URL ?? 'http://127.0.0.1:8080'

async function ask(path: string, init: RequestInit = {}): Promise<sdk.HttpAnswer> {
  return sdk.requestJson(new URL(path, base).href, init)
}

const platform: sdk.Platform = {
  kind: 'our own',
  async observe() {
    return sdk.parseObserved((await ask('/state')).body, 'our platform')
  },
  async targets() {
    const { targets } = (await ask('/state')).body as { targets?: unknown }
    return sdk.digests(targets, 'targets', 'our platform')
  },
  async ready(target) {
    return sdk.parseReadiness((await ask(`/ready?target=${target}`)).body, 'our platform')
  },
  async apply(desired, command, _signed, ifVersion) {
    const { target: stable, candidate, shareMax: share, shadow, fallback } = desired
    const body = JSON.stringify({ generation: command.order[0], stable, candidate, share, shadow, fallback })
    const { status } = await ask('/state', { method: 'PUT', headers: { 'if-match': ifVersion }, body })
    if (status === 412) return 'conflict'
    return status === 200 ? 'applied' : { refused: `our platform answered ${status}` }
  },
}

const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())
process.on('SIGINT', () => stop.abort())
const setup = await sdk.setupFromEnvironment()
await sdk.runAgent(await sdk.agentFromFiles(setup, platform, stop.signal), stop.signal)
