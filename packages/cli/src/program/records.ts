import type { LetterSelection } from '@interlock/console'
import { deadReasons } from '@interlock/contracts'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { AuditVerifyOptions } from '../commands/audit.ts'
import type { ReceiptOptions } from '../commands/receipt.ts'
import { lawfulDeployment, positiveNumber } from './arguments.ts'
import type { Run } from './run.ts'

/** What went wrong for whom: receipts, dead letters, minutes that nobody watched. */
export function recordCommands(program: Command, run: Run): void {
  const receipt = program
    .command('receipt')
    .description('what a withdrawn version answered, from the onset on, as a signed file')
  receipt
    .command('make', { isDefault: true })
    .argument('<of>', 'deployment (its last rollback), decision hash, or <deployment>/<order> of a command')
    .option('--out <file>', 'where to write; receipt-<of>.jsonl unless told')
    .option('--as <person>', 'whose key signs it; the operator unless told')
    .option('--onset <time>', 'beginning of the exposure, ISO 8601, instead of what the evidence says', timeOf)
    .action((of: string, options: ReceiptOptions) =>
      run(async (config, out) => (await import('../commands/receipt.ts')).receipt(config(), of, options, out)),
    )
  receipt
    .command('verify')
    .argument('<file>')
    .option('--keys <folder>', 'root.pub.pem and keyset.dsse.json; those of the configuration unless told')
    .action((file: string, { keys }: { keys?: string }) =>
      run(async (config, out) => (await import('../commands/receipt.ts')).receiptVerify(config(), file, keys, out)),
    )

  const dlq = program.command('dlq').description('dead letters: what could not be taken, and taking it after all')
  const selected = (command: Command): Command =>
    command
      .option('--topic <name>', 'of this topic')
      .addOption(new Option('--reason <name>', 'of this reason').choices([...deadReasons]))
      .option('--since <time>', 'letters from then on, ISO 8601', timeOf)
      .option('--until <time>', 'letters before then', timeOf)
  selected(dlq.command('list')).action((selection: LetterSelection) =>
    run(async (config, out) => (await import('../commands/dlq.ts')).dlqList(config().data, selection, out)),
  )
  dlq
    .command('show')
    .argument('<place>', 'topic/partition/offset')
    .option('--payload', 'what the record holds; only for who may be on call', false)
    .option('--as <person>', 'who asks for the payload; the operator unless told')
    .action((place: string, options: { payload: boolean; as?: string }) =>
      run(async (config, out) => (await import('../commands/dlq.ts')).dlqShow(config(), place, options, out)),
    )
  selected(dlq.command('replay'))
    .argument('[place]', 'topic/partition/offset of one record')
    .option('--yes', 'do not ask', false)
    .option('--timeout <seconds>', 'how long to wait until all is taken', positiveNumber, 60)
    .action(
      (
        place: string | undefined,
        { yes, timeout, ...selection }: LetterSelection & { yes: boolean; timeout: number },
      ) =>
        run(async (config, out) =>
          (await import('../commands/dlq.ts')).dlqReplay(
            config().data,
            { ...selection, ...(place === undefined ? {} : { place }) },
            { yes, timeoutMs: timeout * 1000 },
            out,
          ),
        ),
    )

  auditCommands(program, run)
}

function auditCommands(program: Command, run: Run): void {
  program
    .command('audit')
    .description('the ledger of decisions')
    .command('verify')
    .description('check every leaf and decision against the signed roots')
    .option('--checkpoint <file>', 'the ledger must have grown out of this one; kept up to date')
    .option('--watch', 'again each half minute, until something is found', false)
    .action((options: AuditVerifyOptions) =>
      run(async (config, out) => (await import('../commands/audit.ts')).auditVerify(config(), options, out)),
    )

  program
    .command('guarded')
    .description('the share of its serving time that each version was really watched, and the gaps')
    .argument('<deployment>', 'deployment', lawfulDeployment)
    .option('--since <time>', 'from then on, ISO 8601; all that is known unless told', timeOf)
    .action((deployment: string, { since }: { since?: number }) =>
      run(async (config, out) =>
        (await import('../commands/guarded.ts')).guarded(config().data, deployment, since, out),
      ),
    )
}

function timeOf(text: string): number {
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw new InvalidArgumentError('write a time like 2026-11-24T14:02:00Z.')
  return time
}
