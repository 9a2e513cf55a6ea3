import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Unavailable } from '../errors.ts'
import { formattedData, freePort, kafkaJars, leastJava, nodeProperties, startNode } from './kafka-jars.ts'

/** A Kafka broker of the demo's own, on the loopback. */
export interface DemoBroker {
  readonly address: string
  stop(): Promise<void>
}

/** Starts it with its data in `folder`. @throws Unavailable where Java or the jars are missing */
export async function startBroker(folder: string): Promise<DemoBroker> {
  const jars = await kafkaJars().catch((error: Error) => {
    throw new Unavailable(
      `The demo on Kafka starts a broker, which needs Java ${leastJava} or later and, the first time, Maven (mvn) with Maven Central within reach: ${error.message}. Install them, name a running broker with --kafka <host:port>, or leave --kafka out: then everything runs in one process.`,
    )
  })
  const [port, controller] = [await freePort(), await freePort()]
  mkdirSync(folder, { recursive: true })
  cpSync(join(jars, formattedData), join(folder, 'data'), { recursive: true })
  const file = join(folder, 'server.properties')
  writeFileSync(file, nodeProperties({ folder, listeners: [{ name: 'PLAINTEXT', port }], controller }))
  const address = `127.0.0.1:${port}`
  let child: ChildProcess | undefined
  const kill = (): void => {
    child?.kill('SIGKILL')
  }
  process.once('exit', kill)
  const stop = async (): Promise<void> => {
    process.off('exit', kill)
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL') // what it holds is thrown away
    await ended
  }
  try {
    await startNode(jars, file, address, (started) => {
      child = started
    })
  } catch (error) {
    await stop()
    throw error
  }
  return { address, stop }
}
