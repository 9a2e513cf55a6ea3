/** Where a command's result goes: data to stdout as text or, with `--json`, as one document or one line an event. */
export interface Output {
  readonly json: boolean
  /** The result. */
  result(document: unknown, text: string): void
  /** One event of something that goes on. */
  event(document: unknown, text: string): void
  /** Talk to the person: stderr, and nothing with `--json`. */
  say(text: string): void
}

/** Version of every JSON document that the commands print. */
export const documentVersion = 1

export function output(json: boolean): Output {
  return {
    json,
    result: (document, text) =>
      process.stdout.write(
        json ? `${JSON.stringify({ v: documentVersion, ...(document as object) }, plain)}\n` : `${text}\n`,
      ),
    event: (document, text) => process.stdout.write(json ? `${JSON.stringify(document, plain)}\n` : `${text}\n`),
    say: (text) => {
      if (!json) process.stderr.write(`${text}\n`)
    },
  }
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
