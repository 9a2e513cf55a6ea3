/**
 * A real Kafka for tests: the one that INTERLOCK_TEST_KAFKA names, else Apache Kafka's own jars in one process on the
 * loopback (Java 17 or later; Maven fetches the jars once into a cache). Docker is not tried.
 */
import { type ChildProcess, execFile } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  formatNode,
  formattedData,
  freePort,
  kafkaJars,
  type Listener,
  leastJava,
  nodeProperties,
  startNode,
} from '../../packages/cli/src/demo/kafka-jars.ts'

export { madeOnce } from '../../packages/cli/src/demo/kafka-jars.ts'

const run = promisify(execFile)

/** A broker that belongs to the test: it may be killed, frozen and started again on its port and data. */
export interface OwnBroker {
  readonly address: string
  /** Addresses of the further listeners, as their clients hear of them. */
  readonly lines: readonly string[]
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
  /** Address at which each of `users` comes with its password, if it was asked for. */
  readonly usersAddress?: string
  /** Stops it and removes its data. */
  remove(): Promise<void>
}

export interface OwnBrokerOptions {
  /** Tells which port its clients hear of instead of its own: that of a proxy before it. */
  readonly advertise?: (port: number) => Promise<number>
  /** More listeners, each heard of at the port that its function tells: so a fault hits those only who came by it. */
  readonly lines?: readonly ((port: number) => Promise<number>)[]
  /** A second listener with TLS and SASL: PLAIN and SCRAM. */
  readonly secured?: boolean
  /** A listener for these users (SASL PLAIN), who may do nothing but what access lists say. Others may do all. */
  readonly users?: readonly string[]
}

export const passwordOf = (user: string): string => `password-of-${user}`

interface Ports {
  /** Of several; with the addresses of all. */
  readonly nodeId?: number
  readonly voters?: string
  readonly port: number
  readonly controller: number
  readonly advertised: number
  readonly secured?: number
  readonly users?: { readonly port: number; readonly names: readonly string[] }
  readonly lines?: readonly { readonly port: number; readonly advertised: number }[]
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
  const lines = await linesOf(options)
  const users = options.users && { port: await freePort(), names: options.users }
  const ports = {
    ...{ port, controller, advertised, lines },
    ...(options.secured ? { secured } : {}),
    ...(users ? { users } : {}),
  }
  const broker = new JarBroker(folder, ports)
  await broker.format()
  if (options.secured) await broker.makeCertificate()
  await broker.start()
  return broker
}

/** Three brokers that each hold a copy of everything, started; or null, as for one. */
export async function ownCluster(options: Pick<OwnBrokerOptions, 'lines'> = {}): Promise<readonly OwnBroker[] | null> {
  const folder = await preparedOrNot()
  if (folder === null) return null
  const nodes: Ports[] = []
  for (const nodeId of [1, 2, 3]) {
    const [port, controller] = [await freePort(), await freePort()]
    nodes.push({ nodeId, port, controller, advertised: port, lines: await linesOf(options) })
  }
  const voters = nodes.map(({ nodeId, controller }) => `${nodeId}@127.0.0.1:${controller}`).join(',')
  const brokers = nodes.map((ports) => new JarBroker(folder, { ...ports, voters }))
  await Promise.all(brokers.map((broker) => broker.format()))
  await Promise.all(brokers.map((broker) => broker.start()))
  return brokers
}

async function linesOf(options: Pick<OwnBrokerOptions, 'lines'>): Promise<NonNullable<Ports['lines']>> {
  const lines: { port: number; advertised: number }[] = []
  for (const advertise of options.lines ?? []) {
    const port = await freePort()
    lines.push({ port, advertised: await advertise(port) })
  }
  return lines
}

class JarBroker implements OwnBroker {
  readonly address: string
  readonly lines: readonly string[]
  private readonly folder: string
  private readonly data = mkdtempSync(join(tmpdir(), 'interlock-kafka-'))
  private readonly ports: Ports
  private child: ChildProcess | null = null
  secured?: NonNullable<OwnBroker['secured']>
  readonly usersAddress?: string

  constructor(folder: string, ports: Ports) {
    this.folder = folder
    this.ports = ports
    this.address = `127.0.0.1:${ports.port}`
    if (ports.users) this.usersAddress = `127.0.0.1:${ports.users.port}`
    this.lines = (ports.lines ?? []).map(({ advertised }) => `127.0.0.1:${advertised}`)
    writeFileSync(join(this.data, 'server.properties'), properties(this.data, ports))
    process.once('exit', () => this.child?.kill('SIGKILL'))
  }

  /** A single broker copies what was formatted once. */
  async format(): Promise<void> {
    if (this.ports.secured !== undefined) {
      await formatNode(this.folder, join(this.data, 'server.properties'), login)
    } else if (this.ports.nodeId === undefined) {
      cpSync(join(this.folder, formattedData), join(this.data, 'data'), { recursive: true })
    } else await formatNode(this.folder, join(this.data, 'server.properties'))
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
    await startNode(this.folder, join(this.data, 'server.properties'), this.address, (child) => {
      this.child = child
    })
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

async function preparedOrNot(): Promise<string | null> {
  try {
    return await kafkaJars()
  } catch (error) {
    console.error(`\n${howToRun}\nWhat is missing here: ${(error as Error).message}\n`)
    return null
  }
}

function properties(folder: string, ports: Ports): string {
  const { port, controller, advertised, secured, users, nodeId, voters, lines = [] } = ports
  const listeners: Listener[] = [
    { name: 'PLAINTEXT', port, advertised },
    ...lines.map((line, index) => ({ name: `LINE${index}`, ...line })),
    ...(secured === undefined ? [] : [{ name: 'SECURED', port: secured, protocol: 'SASL_SSL' as const }]),
    ...(users === undefined ? [] : [{ name: 'USERS', port: users.port, protocol: 'SASL_PLAINTEXT' as const }]),
  ]
  const settings = nodeProperties({
    ...{ folder, listeners, controller },
    ...(nodeId === undefined || voters === undefined ? {} : { nodeId, voters, copies: 3 }),
  })
  const module = 'org.apache.kafka.common.security.plain.PlainLoginModule'
  if (users !== undefined) {
    const logins = users.names.map((name) => `user_${name}="${passwordOf(name)}"`).join(' ')
    return `${settings}sasl.enabled.mechanisms=PLAIN
listener.name.users.plain.sasl.jaas.config=${module} required ${logins};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=false
`
  }
  if (secured === undefined) return settings
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule'
  return `${settings}sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.secured.plain.sasl.jaas.config=${module} required user_${login.username}="${login.password}";
listener.name.secured.scram-sha-256.sasl.jaas.config=${scram} required;
listener.name.secured.scram-sha-512.sasl.jaas.config=${scram} required;
ssl.keystore.type=PKCS12
ssl.keystore.location=${folder}/tls.p12
ssl.keystore.password=${login.password}
ssl.key.password=${login.password}
`
}
