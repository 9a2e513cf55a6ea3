import { Agent, type AgentOptions } from './agent.ts'
import { type EndpointOptions, openEndpoint } from './endpoint.ts'

export interface RunAgentOptions extends AgentOptions {
  /** The HTTPS endpoint of the second path; absent: commands come by the topic only. */
  readonly listen?: EndpointOptions
  /** Told once the agent listens (and where) and works. */
  readonly ready?: (endpoint: string | null) => void
  /** Closes what was opened for this agent alone, after its end: its log. */
  readonly ended?: () => Promise<void>
}

/**
 * Runs an agent until `signal` is aborted: takes commands from the commands topic, from its endpoint or from both, keeps
 * each deployment's platform at its highest verified command, and reports what it saw.
 *
 * @throws Error when it has neither, or cannot listen.
 */
export async function runAgent(options: RunAgentOptions, signal: AbortSignal): Promise<void> {
  if (options.log === undefined && options.listen === undefined)
    throw new Error('An agent needs a way to hear commands: a log, an address to listen on, or both.')
  const { listen, clock } = options
  const agent = new Agent(options)
  try {
    await agent.resume()
    const endpoint = listen === undefined ? null : await openEndpoint(agent, listen, clock.monotonic)
    options.ready?.(endpoint?.url ?? null)
    try {
      await agent.run(signal)
    } finally {
      await endpoint?.close()
    }
  } finally {
    await options.ended?.()
  }
}
