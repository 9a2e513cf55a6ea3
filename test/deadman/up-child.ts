/**
 * An `interlock up` whose probe loses its agent on SIGUSR2, while everything else in the process goes on. `deadman.test.ts` runs it.
 */
import { loadConfig, startEmbedded } from '@interlock/cli'
import { pino } from 'pino'

const agent = new AbortController()
process.on('SIGUSR2', () => agent.abort())
const running = await startEmbedded(loadConfig(process.argv[2]), {
  logger: pino({ level: 'silent' }),
  demo: false,
  token: 'a token of twenty-four letters',
  probeAgentUntil: agent.signal,
})
process.on('SIGTERM', () => void running.stop().then(() => process.exit(0)))
process.stdout.write('ready\n')
