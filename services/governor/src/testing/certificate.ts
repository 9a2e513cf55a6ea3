import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** X.509 certificates made on the spot, so that a test speaks real TLS and needs no tool. Tests only. */
export interface Issued {
  readonly certificate: string
  readonly key: string
}

/** A certificate authority, and a certificate of 127.0.0.1 that it signed. */
export function authority(name: string): { readonly ca: string; readonly server: Issued } {
  const ca = generateKeyPairSync('ed25519')
  const own = generateKeyPairSync('ed25519')
  const constraints = extension('0603551d13', true, sequence(der(0x01, Buffer.from([0xff]))))
  const names = extension('0603551d11', false, sequence(der(0x87, Buffer.from([127, 0, 0, 1]))))
  return {
    ca: pem(certificate(name, name, ca.publicKey, ca.privateKey, constraints)),
    server: {
      certificate: pem(certificate('agent', name, own.publicKey, ca.privateKey, names)),
      key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    },
  }
}

function certificate(subject: string, issuer: string, key: KeyObject, signer: KeyObject, extensions: Buffer): Buffer {
  const algorithm = sequence(Buffer.from('06032b6570', 'hex'))
  const time = (year: number): Buffer => der(0x18, Buffer.from(`${year}0101000000Z`))
  const year = new Date().getUTCFullYear()
  const body = sequence(
    der(0xa0, Buffer.from('020102', 'hex')),
    der(0x02, Buffer.concat([Buffer.from([1]), Buffer.from(subject).subarray(0, 8)])),
    algorithm,
    nameOf(issuer),
    sequence(time(year - 1), time(year + 2)),
    nameOf(subject),
    key.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extensions)),
  )
  return sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), sign(null, body, signer)])))
}

function extension(oid: string, critical: boolean, value: Buffer): Buffer {
  const parts = [Buffer.from(oid, 'hex'), ...(critical ? [Buffer.from('0101ff', 'hex')] : []), der(0x04, value)]
  return sequence(...parts)
}

function nameOf(common: string): Buffer {
  return sequence(der(0x31, sequence(Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from(common)))))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function der(tag: number, content: Buffer): Buffer {
  const length =
    content.length < 128
      ? [content.length]
      : content.length < 256
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
