/**
 * Apache Kafka's own jars on the loopback: Java 17 or later runs them, Maven fetches them once into a cache. For the demo
 * and for tests (test/kafka/broker.ts); nothing here is made for production.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const kafkaVersion = '4.4.0'
export const leastJava = 17
const readyWithinMs = 120_000
const answerWithinMs = 1_000
const run = promisify(execFile)

/** Folder of the cache with the jars and a formatted data directory. @throws Error that says what is missing */
export async function kafkaJars(): Promise<string> {
  const { stderr } = await run('java', ['-version']).catch(() => {
    throw new Error('there is no java on the path')
  })
  const version = Number(/version "(\d+)/.exec(stderr)?.[1])
  if (!(version >= leastJava)) throw new Error(`java is version ${version}, and Kafka needs ${leastJava}`)
  return madeOnce(`kafka-${kafkaVersion}`, async (making) => {
    writeFileSync(join(making, 'pom.xml'), pom)
    const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
    const options = ['-B', '-q', copy, '-DoutputDirectory=lib', '-DincludeScope=runtime']
    await run('mvn', options, { cwd: making }).catch((error: Error) => {
      throw new Error(`Maven did not fetch Kafka ${kafkaVersion}: ${error.message.slice(0, 500)}`)
    })
    const template = join(making, 'template')
    mkdirSync(template)
    const file = join(template, 'server.properties')
    writeFileSync(
      file,
      nodeProperties({ folder: template, listeners: [{ name: 'PLAINTEXT', port: 19_092 }], controller: 19_093 }),
    )
    await formatNode(making, file)
  })
}

/** Folder, within that of the jars, of a node's data that was formatted once: copy it rather than to format again. */
export const formattedData = 'template/data'

/** A folder of the cache, made whole or not at all: several runs may race. */
export async function madeOnce(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const cache = process.env.INTERLOCK_CACHE ?? join(homedir(), '.cache/interlock')
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const making = mkdtempSync(join(cache, 'making-'))
  try {
    await make(making)
    renameSync(making, folder)
  } catch (error) {
    rmSync(making, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}

/**
 * Prepares the data directory of a node as its properties say.
 *
 * @param scram  a user who is known from the first start, with a password for each mechanism
 */
export async function formatNode(
  jars: string,
  file: string,
  scram?: { readonly username: string; readonly password: string },
): Promise<void> {
  const clusterId = Buffer.from('interlock-test-1').toString('base64url')
  const user = scram && `[name=${scram.username},password=${scram.password}]`
  const users = user ? ['--add-scram', `SCRAM-SHA-256=${user}`, '--add-scram', `SCRAM-SHA-512=${user}`] : []
  const tool = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file, ...users]
  await run('java', ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', classPath(jars), ...tool])
}

/** Starts a node and waits until `address` answers. @throws Error with what it said */
export async function startNode(
  jars: string,
  file: string,
  address: string,
  started: (child: ChildProcess) => void,
): Promise<void> {
  const options = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xms96m', '-Xmx384m', '-XX:-UsePerfData']
  const log = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'
  const child = spawn('java', [...options, log, '-cp', classPath(jars), 'kafka.Kafka', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  started(child)
  let said = ''
  child.stderr.on('data', (text: Buffer) => {
    said = (said + text.toString()).slice(-4_000)
  })
  for (const until = Date.now() + readyWithinMs; !(await answers(address)); await sleep(100)) {
    if (child.exitCode !== null || Date.now() > until) throw new Error(`Kafka did not start:\n${said}`)
  }
}

function classPath(jars: string): string {
  const names = readdirSync(join(jars, 'lib')).sort()
  return names.map((jar) => join(jars, 'lib', jar)).join(':')
}

/** Whether a request for metadata (v5, of no topic) is answered with at least one broker. */
async function answers(address: string): Promise<boolean> {
  const [host, port] = address.split(':') as [string, string]
  const socket = connect({ host, port: Number(port) })
  socket.setTimeout(answerWithinMs, () => socket.destroy())
  try {
    await once(socket, 'connect')
    // Size, key 3, version 5, correlation 1, no client id, 0 topics, make none.
    socket.write(Buffer.from('0000000f00030005' + '00000001' + 'ffff' + '00000000' + '00', 'hex'))
    const [answer] = (await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [])])) as [Buffer?]
    // Size, correlation, throttle, then how many brokers.
    return answer !== undefined && answer.length >= 16 && answer.readInt32BE(12) > 0
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>interlock</groupId><artifactId>test-broker</artifactId><version>1</version><packaging>pom</packaging><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${kafkaVersion}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
</dependencies></project>
`

export interface Listener {
  readonly name: string
  readonly port: number
  /** Port that clients hear of; its own unless told. */
  readonly advertised?: number
  /** Default: PLAINTEXT. */
  readonly protocol?: 'PLAINTEXT' | 'SASL_SSL' | 'SASL_PLAINTEXT'
}

export interface NodeOptions {
  readonly folder: string
  /** The first is the one that the brokers talk by. */
  readonly listeners: readonly Listener[]
  /** Port of the controller. */
  readonly controller: number
  /** Of several: its number, the addresses of all, and copies of what Kafka itself keeps. */
  readonly nodeId?: number
  readonly voters?: string
  readonly copies?: number
}

/** One node that is broker and controller. Small buffers and a short session: it starts, and starts again, in seconds. */
export function nodeProperties(options: NodeOptions): string {
  const { folder, listeners, controller, nodeId = 1, voters = `1@127.0.0.1:${controller}`, copies = 1 } = options
  const own = listeners.map(({ name, port }) => `${name}://127.0.0.1:${port}`)
  const heard = listeners.map(({ name, port, advertised = port }) => `${name}://127.0.0.1:${advertised}`)
  const protocols = listeners.map(({ name, protocol = 'PLAINTEXT' }) => `${name}:${protocol}`)
  return `process.roles=broker,controller
node.id=${nodeId}
listeners=${own.join(',')},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=${heard.join(',')}
listener.security.protocol.map=${protocols.join(',')},CONTROLLER:PLAINTEXT
inter.broker.listener.name=${listeners[0]?.name}
controller.listener.names=CONTROLLER
controller.quorum.voters=${voters}
log.dirs=${folder}/data
offsets.topic.replication.factor=${copies}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=${copies}
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=${copies}
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.threads=1
log.cleaner.backoff.ms=200
num.network.threads=2
num.io.threads=4
background.threads=2
broker.session.timeout.ms=${copies === 1 ? 1_000 : 3_000}
broker.heartbeat.interval.ms=200
controller.quorum.election.timeout.ms=1000
controller.quorum.fetch.timeout.ms=2000
replica.lag.time.max.ms=5000
`
}
