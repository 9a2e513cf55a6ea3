import { Malformed } from './avro/bytes.ts'
import { maxDepth } from './avro/schema.ts'
import type { Json } from './canonical.ts'

/** Largest JSON text that is read unless the caller says otherwise: Kafka's own default for a record. */
export const maxJsonBytes = 1 << 20

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const space = /[\t\n\r ]*/y
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these in a string
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const words = new Map<string, Json>([
  ['t', true],
  ['f', false],
  ['n', null],
])

/**
 * JSON as RFC 8259 and I-JSON (RFC 7493) have it, and nothing else: valid UTF-8, no key twice in an object, no key
 * `__proto__`, no number beyond a double, no lone surrogate, bounded depth and size. Two readers can not see two
 * different values in the same bytes, so what was signed is what is read.
 *
 * @throws Malformed with line, column and reason.
 */
export function parseStrict(source: Uint8Array | string, bounds: { readonly maxBytes?: number } = {}): Json {
  const limit = bounds.maxBytes ?? maxJsonBytes
  if (source.length > limit) throw new Malformed(`JSON has ${source.length} bytes, and ${limit} are allowed`)
  const text = typeof source === 'string' ? source : decodeUtf8(source)
  const reader = new StrictReader(text)
  const value = reader.value(0)
  reader.end()
  return value
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new Malformed('JSON is not UTF-8')
  }
}

class StrictReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): Json {
    if (depth > maxDepth) throw this.#wrong(`nested deeper than ${maxDepth}`)
    this.#match(space)
    const first = this.#text[this.#at]
    if (first === '{') return this.#object(depth)
    if (first === '[') return this.#array(depth)
    if (first === '"') return this.#string()
    if (first === undefined) throw this.#wrong('the text ends where a value should be')
    const word = words.get(first)
    if (word !== undefined) return this.#word(word)
    return this.#number()
  }

  end(): void {
    this.#match(space)
    if (this.#at < this.#text.length) throw this.#wrong('something follows the value')
  }

  #object(depth: number): Json {
    const object: Record<string, Json> = {}
    this.#at++
    if (this.#next('}')) return object
    do {
      this.#match(space)
      const at = this.#at
      if (this.#text[at] !== '"') throw this.#wrong('a key in quotes should be here')
      const key = this.#string()
      if (key === '__proto__') throw this.#wrong('the key "__proto__" is refused', at)
      if (Object.hasOwn(object, key)) throw this.#wrong(`the key ${JSON.stringify(key.slice(0, 40))} stands twice`, at)
      if (!this.#next(':')) throw this.#wrong('":" should be here')
      object[key] = this.value(depth + 1)
    } while (this.#next(','))
    if (!this.#next('}')) throw this.#wrong('"," or "}" should be here')
    return object
  }

  #array(depth: number): Json {
    const list: Json[] = []
    this.#at++
    if (this.#next(']')) return list
    do list.push(this.value(depth + 1))
    while (this.#next(','))
    if (!this.#next(']')) throw this.#wrong('"," or "]" should be here')
    return list
  }

  #string(): string {
    const at = this.#at
    const token = this.#match(string)
    if (token === '') throw this.#wrong('a string does not end, or holds what JSON forbids')
    const value = token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1)
    if (!value.isWellFormed()) throw this.#wrong('half of a surrogate pair stands alone', at)
    return value
  }

  #number(): number {
    const at = this.#at
    const token = this.#match(number)
    if (token === '') throw this.#wrong('no JSON value begins so')
    const value = Number(token)
    if (!Number.isFinite(value)) throw this.#wrong('the number is beyond a double', at)
    return value
  }

  #word(value: Json): Json {
    const word = String(value)
    if (!this.#text.startsWith(word, this.#at)) throw this.#wrong('no JSON value begins so')
    this.#at += word.length
    return value
  }

  /** Skips space, and `character` if it is next. */
  #next(character: string): boolean {
    this.#match(space)
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const token = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += token.length
    return token
  }

  #wrong(reason: string, at = this.#at): Malformed {
    const before = this.#text.slice(0, at).split('\n')
    return new Malformed(`JSON line ${before.length}, column ${before.at(-1)!.length + 1}: ${reason}`)
  }
}
