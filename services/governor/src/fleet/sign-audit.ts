import { decodeOut, type Out, type Signer } from '@interlock/contracts'
import { originOf, signCheckpoint } from '@interlock/ledger'

/** What the publisher of the fleet's log writes: checkpoints as signed notes, everything else as the log has it. */
export function signAudit(out: Out, environment: string, signer: Signer): Uint8Array {
  if (out.kind !== 'checkpoint') return out.value
  const decoded = decodeOut(out)
  if (decoded.kind !== 'checkpoint') return out.value
  const { size, root } = decoded
  return Buffer.from(signCheckpoint({ origin: originOf(environment), size, root }, signer.privateKey), 'utf8')
}
