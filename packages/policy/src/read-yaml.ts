import { isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type Node, type ParsedNode, parseDocument } from 'yaml'
import type { Problem, ProblemCode } from './problem.ts'
import { shown } from './problem.ts'

/** A key or index on the way into a policy. */
export type Path = readonly (string | number)[]

/** A policy's source as plain data, and where each part of it stands. */
export type Tree = {
  readonly value: unknown
  /** Place of what stands at the path, or of the nearest thing around it. */
  at(path: Path, part?: 'key' | 'value'): { readonly line: number; readonly column: number }
  /** How many steps of the path are there. */
  reach(path: Path): number
}

/** Bounds of a policy's source: a policy is read by people. */
export const sourceBounds = {
  bytes: 256 * 1024,
  /** Brackets within brackets, and block markers on one line. */
  depth: 16,
  entries: 1_000,
  tokens: 20_000,
} as const

/**
 * Reads YAML 1.2 (core schema) as plain data: maps with text keys, lists, text, numbers, truth values. Anchors, aliases,
 * tags and duplicate keys are refused, for an approver must read what counts; size, depth and number of tokens are
 * bounded before the parser sees the text.
 */
export function readYaml(
  source: string,
  file: string,
): { readonly tree: Tree | null; readonly problems: readonly Problem[] } {
  const lines = new LineCounter()
  const problems: Problem[] = []
  const report = (offset: number, code: ProblemCode, happened: string, why: string, instead: string): void => {
    const { line, col } = lines.linePos(Math.max(0, offset))
    problems.push({ file, line: Math.max(1, line), column: Math.max(1, col), code, happened, why, instead })
  }
  const bytes = Buffer.byteLength(source, 'utf8')
  if (bytes > sourceBounds.bytes) {
    report(
      0,
      'too-large',
      `the policy has ${bytes} bytes; at most ${sourceBounds.bytes} are read`,
      'A policy is read and approved by people.',
      'Shorten it, or split it into policies of several deployments.',
    )
    return { tree: null, problems }
  }
  const beyond = firstBeyondBounds(source)
  if (beyond !== null) {
    lines.addNewLine(0)
    for (
      let index = source.indexOf('\n');
      index >= 0 && index < beyond.offset;
      index = source.indexOf('\n', index + 1)
    ) {
      lines.addNewLine(index + 1)
    }
    report(beyond.offset, beyond.code, beyond.happened, beyond.why, 'See docs/policy-reference.md for its shape.')
    return { tree: null, problems }
  }

  const document = parseDocument(source, {
    lineCounter: lines,
    uniqueKeys: false,
    version: '1.2',
    schema: 'core',
    prettyErrors: false,
  })
  for (const error of document.errors.slice(0, 5)) {
    report(error.pos[0], 'not-yaml', `this is not YAML: ${firstLine(error.message)}`, '', remedyOf(error.code))
  }
  if (problems.length > 0) return { tree: null, problems }

  const places = new Map<string, { readonly key: number; readonly value: number }>()
  const walk = (node: Node | null, path: Path, keyAt: number): unknown => {
    const at = node?.range?.[0] ?? keyAt
    places.set(placeOf(path), { key: keyAt, value: at })
    if (node === null) return null
    if (isAlias(node) || ('anchor' in node && node.anchor !== undefined)) {
      report(
        at,
        'not-plain',
        'anchors and aliases are not read in a policy',
        'Who approves it must see every rule where it counts.',
        'Write the value out.',
      )
      return null
    }
    if (node.tag !== undefined) {
      report(
        at,
        'not-plain',
        `the tag ${shown(node.tag)} is not read in a policy`,
        'A policy is plain data.',
        'Leave the tag out.',
      )
      return null
    }
    if (isScalar(node) && typeof node.value === 'string' && unseen.test(node.value)) {
      report(
        at,
        'not-plain',
        'this text holds a sign that cannot be seen',
        'Who approves a policy must read what stands there, in any window.',
        'Remove control signs, signs that turn the direction of writing, and halves of signs.',
      )
      return null
    }
    if (isScalar(node)) return typeof node.value === 'bigint' ? Number(node.value) : node.value
    if (isSeq(node)) {
      if (tooMany(node.items.length, at)) return null
      return node.items.map((item, index) => {
        const entry = item as ParsedNode | null
        return walk(entry, [...path, index], entry?.range?.[0] ?? keyAt)
      })
    }
    if (!isMap(node) || tooMany(node.items.length, at)) return null
    const entries: Record<string, unknown> = {}
    for (const { key, value } of node.items as { key: unknown; value: unknown }[]) {
      const offset = (isScalar(key) ? key.range?.[0] : undefined) ?? at
      const name = isScalar(key) && key.tag === undefined && key.anchor === undefined ? keyText(key.value) : null
      if (name === null || reservedKeys.includes(name)) {
        report(
          offset,
          'bad-key',
          `${name === null ? 'this key is not text' : `the key ${shown(name)} is reserved`}`,
          'Keys of a policy are names.',
          'Use letters, digits and "-".',
        )
      } else if (Object.hasOwn(entries, name)) {
        report(
          offset,
          'duplicate-key',
          `the key ${shown(name)} stands here twice`,
          'Only one of them would count.',
          'Remove one.',
        )
      } else entries[name] = walk(value as ParsedNode | null, [...path, name], offset)
    }
    return entries
  }
  const tooMany = (count: number, at: number): boolean => {
    if (count <= sourceBounds.entries) return false
    report(
      at,
      'too-large',
      `${count} entries stand in one place; at most ${sourceBounds.entries} are read`,
      'A policy is read and approved by people.',
      'Shorten it.',
    )
    return true
  }
  const value = walk(document.contents, [], 0)
  if (problems.length > 0) return { tree: null, problems: problems.slice(0, 20) }

  const at: Tree['at'] = (path, part = 'value') => {
    for (let length = path.length; length >= 0; length--) {
      const place = places.get(placeOf(path.slice(0, length)))
      if (place === undefined) continue
      // Around a thing that is not there, its owner's key is the better place.
      const { line, col } = lines.linePos(length === path.length ? place[part] : place.key)
      return { line: Math.max(1, line), column: Math.max(1, col) }
    }
    return { line: 1, column: 1 }
  }
  const reach: Tree['reach'] = (path) => {
    let length = path.length
    while (length > 0 && !places.has(placeOf(path.slice(0, length)))) length--
    return length
  }
  return { tree: { value, at, reach }, problems: [] }
}

/** Control signs but for new lines and tabs, overrides of the direction of writing, and surrogates without their other half. */
const unseen = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]|\p{Cs}/u

/** Names that mean something to JavaScript objects. */
const reservedKeys: readonly string[] = ['__proto__', 'constructor', 'prototype']

function keyText(key: unknown): string | null {
  if (typeof key === 'string' && unseen.test(key)) return null
  return typeof key === 'string' || typeof key === 'number' ? String(key) : null
}

function placeOf(path: Path): string {
  return JSON.stringify(path)
}

function firstLine(message: string): string {
  return message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '')
}

function remedyOf(code: string): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'Indent with spaces.'
    case 'MULTIPLE_DOCS':
      return 'Keep one policy a file: remove the line "---" between them.'
    case 'MISSING_CHAR':
      return 'Close every quote and bracket.'
    case 'BAD_INDENT':
      return 'Indent entries of one list or map alike.'
    default:
      return 'See docs/policy-reference.md for examples; text with ":" or "#" in it needs quotes.'
  }
}

type Beyond = { readonly offset: number; readonly code: ProblemCode; readonly happened: string; readonly why: string }

/** The parser composes recursively, so depth is bounded on the tokens, which the lexer yields one by one. */
function firstBeyondBounds(source: string): Beyond | null {
  let offset = 0
  let open = 0
  let markers = 0
  let tokens = 0
  for (const token of new Lexer().lex(source)) {
    if (token === '[' || token === '{') open++
    else if (token === ']' || token === '}') open = Math.max(0, open - 1)
    else if (token === '-' || token === '?' || token === ':') markers++
    else if (token === '\n' || token === '\r\n') markers = 0
    if (++tokens > sourceBounds.tokens) {
      const happened = `the policy has more than ${sourceBounds.tokens} words and signs`
      return { offset, code: 'too-large', happened, why: 'A policy is read and approved by people.' }
    }
    if (open > sourceBounds.depth || markers > markersALine) {
      const happened = 'the policy is nested too deeply here'
      return { offset, code: 'too-deep', happened, why: 'No key of a policy is nested so deeply.' }
    }
    if (!controls.has(token)) offset += token.length
  }
  return null
}

/** `{ a: 1, b: 2, … }` on one line holds a ":" for each key. */
const markersALine = 64

/** Marks of the lexer that stand for no text: byte order mark, document, flow end, scalar. */
const controls: ReadonlySet<string> = new Set(['\u{2}', '\u{18}', '\u{1f}'])
