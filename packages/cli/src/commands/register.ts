import type { Config } from '../config.ts'
import { readDeployments } from '../deployments.ts'
import { exitCodes } from '../errors.ts'
import { fleetAccount, refuseOverspent } from '../fleet-budget.ts'
import { readIntroduction } from '../introduction.ts'
import type { Output } from '../output.ts'
import { introduce, recordKeyset, submitAs } from '../parts/introduce.ts'
import { openKafka } from '../parts/kafka.ts'
import { ownKey, publicKeys } from '../parts/keys.ts'

/**
 * `interlock register`: sends the keyset, and every deployment with its documents, to the cluster. What is known already
 * changes nothing, so it may be run after each change.
 */
export async function register(config: Config, out: Output): Promise<number> {
  const introductions = readDeployments(config).map((deployment) => readIntroduction(config, deployment))
  refuseOverspent(fleetAccount(config))
  const { envelope, keyset } = await publicKeys(config)
  const { signer } = await ownKey(config, config.operator)
  const log = openKafka(config, 'register')
  try {
    await recordKeyset(log, envelope)
    const registrations = await introduce(introductions, submitAs(log, config.environment, config.operator, signer))
    const approver = config.people.find(({ id }) => id !== config.operator)?.id ?? '<another person>'
    out.result(
      { keyset: keyset.version, registrations: Object.fromEntries(registrations) },
      [
        `✓ recorded keyset ${keyset.version} and ${registrations.size === 0 ? 'no deployment' : [...registrations.keys()].join(', ')}`,
        ...[...registrations].flatMap(([deployment, { document, policy }]) => [
          `${deployment} waits for a second person, unless these were approved before:`,
          ...[document, policy].map((hash) => `  interlock approve ${deployment} ${hash} --as ${approver}`),
        ]),
      ].join('\n'),
    )
    return exitCodes.good
  } finally {
    await log.close()
  }
}
