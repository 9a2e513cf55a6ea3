import { probeAgent, probePeople } from '@interlock/probe'
import type { Config } from '../config.ts'
import { exitCodes } from '../errors.ts'
import type { Output } from '../output.ts'
import {
  agentHolder,
  componentHolder,
  fleetHolder,
  keysetFile,
  makeKeys,
  notifierHolder,
  rootKeyFile,
} from '../parts/keys.ts'

/** `interlock keys make`: all keys, once, and which files each machine gets. */
export async function keysMake(
  config: Config,
  { expires }: { readonly expires?: number },
  out: Output,
): Promise<number> {
  const end = expires === undefined ? undefined : Math.round(Date.now() + expires * 86_400_000)
  const { made, elsewhere, keyset } = await makeKeys(config, end)
  const everywhere = [rootKeyFile, keysetFile]
  const own = {
    governor: ['governor.pem', `${fleetHolder}.pem`, ...everywhere],
    agent: [`${agentHolder(config)}.pem`, ...everywhere],
    notifier: [`${notifierHolder}.pem`],
    console: [`${config.operator}.pem`],
    profiler: [],
    evaluator: [],
  } as const
  const files = withLiveness(config, own, everywhere)
  const lines = [
    `✓ keyset ${keyset.version} names ${keyset.keys.map(({ holder }) => holder).join(', ')}`,
    ...(keyset.expires === undefined ? [] : [`  it runs out ${new Date(keyset.expires).toISOString()}`]),
    made.length > 0 ? `  made: ${made.join(', ')}` : '  nothing was missing',
    ...(elsewhere.length > 0 ? [`  kept elsewhere, not made anew: ${elsewhere.join(', ')}`] : []),
    `Copy from ${config.keys} to the folder of the keys on each machine, and nothing else:`,
    ...Object.entries(files).map(([service, names]) => `  ${service.padEnd(9)} ${names.join('  ') || 'nothing'}`),
    ...config.people.map(({ id }) => `  ${`${id}`.padEnd(9)} ${id}.pem`),
    '  root.pem stays off every machine that serves: it signs keysets only.',
    'Next: interlock topics create, interlock register',
  ]
  out.result({ folder: config.keys, keyset: keyset.version, made, elsewhere, files }, lines.join('\n'))
  return exitCodes.good
}

/** The same with the files that heartbeats, the probe and the watchers need. */
function withLiveness(
  config: Config,
  own: Readonly<Record<string, readonly string[]>>,
  everywhere: readonly string[],
): Readonly<Record<string, readonly string[]>> {
  const beats = config.watchers.length > 0
  const { deployer, approver } = probePeople
  const ofProbe = [deployer.id, approver.id, probeAgent].map((holder) => `${holder}.pem`)
  const all = config.probe ? { ...own, probe: [...ofProbe, ...everywhere] } : own
  const beating = Object.entries(all).map(([service, files]): [string, readonly string[]] => [
    service,
    beats ? [...new Set([...files, `${componentHolder(config, service)}.pem`])] : files,
  ])
  return {
    ...Object.fromEntries(beating),
    ...Object.fromEntries(config.watchers.map(({ name }) => [name, [`${name}.pem`, ...everywhere]])),
  }
}
