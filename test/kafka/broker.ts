/**
 * A real Kafka for tests: the one that INTERLOCK_TEST_KAFKA names, else Apache Kafka's own jars in one process on the
 * loopback (Java 17 or later; Maven fetches the jars once into a cache). Docker is not tried.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Kafka, logLevel } from 'kafkajs'

const kafkaVersion = '4.4.0'
const leastJava = 17
const readyWithinMs = 30_000
const run = promisify(execFile)

/** A broker that belongs to the test: it may be killed, frozen and started again on its port and data. */
export interface OwnBroker {
  readonly address: string
  kill(): Promise<void>
  start(): Promise<void>
  /** SIGSTOP, and SIGCONT. */
  freeze(): void
  thaw(): void
  /** Where it wants TLS and a password, if it was asked to. */
  readonly secured?: {
    readonly address: string
    /** PEM of the certificate to trust. */
    readonly ca: string
    readonly username: string
    readonly password: string
  }
  /** Stops it and removes its data. */
  remove(): Promise<void>
}

export interface OwnBrokerOptions {
  /** Tells which port its clients hear of instead of its own: that of a proxy before it. */
  readonly advertise?: (port: number) => Promise<number>
  /** A second listener with TLS and SASL PLAIN. */
  readonly secured?: boolean
}

interface Ports {
  /** Of several; with the addresses of all. */
  readonly nodeId?: number
  readonly voters?: string
  readonly port: number
  readonly controller: number
  readonly advertised: number
  readonly secured?: number
}

const login = { username: 'interlock', password: 'for-tests-only' } as const

export const howToRun = [
  'NOT RUN: the tests on a real Kafka broker. One of these makes them run:',
  `  - Java ${leastJava} or later and Maven (mvn) on the path, and Maven Central within reach at the first run`,
  '  - INTERLOCK_TEST_KAFKA=host:port of a broker for tests (those that kill their broker need Java and Maven all the same)',
].join('\n')

/** Fresh for each run: tests share a cluster and never a topic. */
export const newPrefix = (): string => `t${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}.`

/** Address of a broker for tests that leave it alone, or why there is none. */
export async function anyBroker(): Promise<{ readonly address: string; remove(): Promise<void> } | null> {
  const given = process.env.INTERLOCK_TEST_KAFKA
  if (given) return { address: given, remove: async () => {} }
  return ownBroker()
}

/** A broker of our own, started, or null where Java, Maven or the jars are missing (and the console says so). */
export async function ownBroker(options: OwnBrokerOptions = {}): Promise<OwnBroker | null> {
  const folder = await preparedOrNot()
  if (folder === null) return null
  const [port, controller, secured] = [await freePort(), await freePort(), await freePort()]
  const advertised = (await options.advertise?.(port)) ?? port
  const ports = { port, controller, advertised, ...(options.secured ? { secured } : {}) }
  const broker = new JarBroker(folder, ports)
  await broker.format()
  if (options.secured) await broker.makeCertificate()
  await broker.start()
  return broker
}

/** Three brokers that each hold a copy of everything, started; or null, as for one. */
export async function ownCluster(): Promise<readonly OwnBroker[] | null> {
  const folder = await preparedOrNot()
  if (folder === null) return null
  const nodes: Ports[] = []
  for (const nodeId of [1, 2, 3]) {
    const [port, controller] = [await freePort(), await freePort()]
    nodes.push({ nodeId, port, controller, advertised: port })
  }
  const voters = nodes.map(({ nodeId, controller }) => `${nodeId}@127.0.0.1:${controller}`).join(',')
  const brokers = nodes.map((ports) => new JarBroker(folder, { ...ports, voters }))
  await Promise.all(brokers.map((broker) => broker.format()))
  await Promise.all(brokers.map((broker) => broker.start()))
  return brokers
}

class JarBroker implements OwnBroker {
  readonly address: string
  private readonly folder: string
  private readonly data = mkdtempSync(join(tmpdir(), 'interlock-kafka-'))
  private readonly ports: Ports
  private child: ChildProcess | null = null
  secured?: NonNullable<OwnBroker['secured']>

  constructor(folder: string, ports: Ports) {
    this.folder = folder
    this.ports = ports
    this.address = `127.0.0.1:${ports.port}`
    writeFileSync(join(this.data, 'server.properties'), properties(this.data, ports))
    process.once('exit', () => this.child?.kill('SIGKILL'))
  }

  /** A single broker copies what was formatted once. */
  async format(): Promise<void> {
    if (this.ports.nodeId === undefined) {
      cpSync(join(this.folder, 'template/data'), join(this.data, 'data'), { recursive: true })
    } else await format(this.folder, join(this.data, 'server.properties'))
  }

  /** Java brings the tool for it. */
  async makeCertificate(): Promise<void> {
    const store = ['-keystore', join(this.data, 'tls.p12'), '-storepass', login.password, '-alias', 'broker']
    const names = ['-dname', 'CN=127.0.0.1', '-ext', 'san=ip:127.0.0.1']
    await run('keytool', ['-genkeypair', '-storetype', 'PKCS12', '-keyalg', 'EC', '-validity', '2', ...store, ...names])
    const { stdout: ca } = await run('keytool', ['-exportcert', '-rfc', ...store])
    this.secured = { address: `127.0.0.1:${this.ports.secured}`, ca, ...login }
  }

  async start(): Promise<void> {
    const options = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xms96m', '-Xmx384m', '-XX:-UsePerfData']
    const log = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'
    const classes = ['-cp', classPath(this.folder), 'kafka.Kafka', join(this.data, 'server.properties')]
    const child = spawn('java', [...options, log, ...classes], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.child = child
    let said = ''
    child.stderr!.on('data', (text: Buffer) => {
      said = (said + text.toString()).slice(-4_000)
    })
    for (const until = Date.now() + readyWithinMs; !(await answers(this.address)); await sleep(100)) {
      if (child.exitCode !== null || Date.now() > until) throw new Error(`Kafka did not start:\n${said}`)
    }
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL')
  }

  freeze(): void {
    this.child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.child?.kill('SIGCONT')
  }

  async remove(): Promise<void> {
    await this.end('SIGKILL')
    rmSync(this.data, { recursive: true, force: true })
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this
    this.child = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
}

/** Folder of the cache with the jars and a formatted data directory. Made whole or not at all: several runs may race. */
async function prepared(): Promise<string> {
  const { stderr } = await run('java', ['-version']).catch(() => {
    throw new Error('there is no java on the path')
  })
  const version = Number(/version "(\d+)/.exec(stderr)?.[1])
  if (!(version >= leastJava)) throw new Error(`java is version ${version}, and Kafka needs ${leastJava}`)
  const cache = process.env.INTERLOCK_CACHE ?? join(homedir(), '.cache/interlock')
  const folder = join(cache, `kafka-${kafkaVersion}`)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const making = mkdtempSync(join(cache, 'kafka-making-'))
  try {
    writeFileSync(join(making, 'pom.xml'), pom)
    const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
    const options = ['-B', '-q', copy, '-DoutputDirectory=lib', '-DincludeScope=runtime']
    await run('mvn', options, { cwd: making }).catch((error: Error) => {
      throw new Error(`Maven did not fetch Kafka ${kafkaVersion}: ${error.message.slice(0, 500)}`)
    })
    const template = join(making, 'template')
    mkdirSync(template)
    writeFileSync(
      join(template, 'server.properties'),
      properties(template, { port: 19_092, controller: 19_093, advertised: 19_092 }),
    )
    await format(making, join(template, 'server.properties'))
    renameSync(making, folder)
  } catch (error) {
    rmSync(making, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}

async function preparedOrNot(): Promise<string | null> {
  try {
    return await prepared()
  } catch (error) {
    console.error(`\n${howToRun}\nWhat is missing here: ${(error as Error).message}\n`)
    return null
  }
}

async function format(folder: string, file: string): Promise<void> {
  const clusterId = Buffer.from('interlock-test-1').toString('base64url')
  const tool = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file]
  await run('java', ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', classPath(folder), ...tool])
}

function classPath(folder: string): string {
  const jars = readdirSync(join(folder, 'lib')).sort()
  return jars.map((jar) => join(folder, 'lib', jar)).join(':')
}

async function answers(address: string): Promise<boolean> {
  const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin()
  try {
    await admin.connect()
    return (await admin.describeCluster()).brokers.length > 0
  } catch {
    return false
  } finally {
    await admin.disconnect().catch(() => {})
  }
}

async function freePort(): Promise<number> {
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

/** One node that is broker and controller. Small buffers and a short session: it starts, and starts again, in seconds. */
function properties(folder: string, ports: Ports): string {
  const { port, controller, advertised, secured, nodeId = 1, voters = `1@127.0.0.1:${controller}` } = ports
  const copies = ports.voters === undefined ? 1 : 3
  const sessionMs = copies === 1 ? 1_000 : 3_000
  const second = secured === undefined ? '' : `,SECURED://127.0.0.1:${secured}`
  const settings = `process.roles=broker,controller
node.id=${nodeId}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}${second}
advertised.listeners=PLAINTEXT://127.0.0.1:${advertised}${second}
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
broker.session.timeout.ms=${sessionMs}
broker.heartbeat.interval.ms=200
controller.quorum.election.timeout.ms=1000
controller.quorum.fetch.timeout.ms=2000
replica.lag.time.max.ms=5000
`
  if (secured === undefined) return settings
  const module = 'org.apache.kafka.common.security.plain.PlainLoginModule'
  return `${settings}listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL
sasl.enabled.mechanisms=PLAIN
listener.name.secured.plain.sasl.jaas.config=${module} required user_${login.username}="${login.password}";
ssl.keystore.type=PKCS12
ssl.keystore.location=${folder}/tls.p12
ssl.keystore.password=${login.password}
ssl.key.password=${login.password}
`
}
