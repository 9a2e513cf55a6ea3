import { readFileSync } from 'node:fs'
import { LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { UsageError } from './errors.ts'

/** A YAML file that somebody wrote, with what is needed to say where something in it is wrong. */
export interface YamlFile {
  readonly value: Readonly<Record<string, unknown>>
  /** The caller's mistake at the place of a key: `file:line:column  sentence`, and where to read on. */
  problem(path: readonly PropertyKey[], sentence: string): UsageError
}

/**
 * Reads a YAML file that holds keys and values.
 *
 * @param shown the file's name as the person wrote it
 * @param schema JSON Schema that describes the file's keys
 * @throws UsageError with file, line, reason and remedy
 */
export function readYaml(file: string, shown: string, schema: string): YamlFile {
  const counter = new LineCounter()
  const position = (at: number): string => {
    const { line, col } = counter.linePos(at)
    return `:${line}:${col}`
  }
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${shown}: cannot be read (${(error as Error).message}). Is it a file of yours?`)
  }
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true, prettyErrors: false })
  const [broken] = document.errors
  if (broken !== undefined) {
    throw new UsageError(
      `${shown}${position(broken.pos[0])}  this is not YAML: ${broken.message}.\n  Correct the line and start again.`,
    )
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 0 }) ?? {}
  } catch (error) {
    // Its aliases could make a small file very large.
    if (!(error instanceof ReferenceError)) throw error
    const at = text.search(/[*][\w-]/)
    throw mistake(shown, at < 0 ? '' : position(at), 'aliases are not read: write the value itself', schema)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw mistake(shown, ':1:1', 'the file holds no keys and values', schema)
  }
  return {
    value: value as Record<string, unknown>,
    problem: (path, sentence) => {
      // A key that is absent has no place of its own: that of what should hold it is shown.
      for (let depth = path.length; depth > 0; depth--) {
        const key = path.slice(0, depth)
        const place = placeOfKey(document, key)
        if (place !== undefined) return mistake(shown, position(place), sentence, schema)
      }
      return mistake(shown, ':1:1', sentence, schema)
    },
  }
}

/** Stands for a file that is not there. */
export function emptyYaml(shown: string, schema: string): YamlFile {
  return { value: {}, problem: (_, sentence) => mistake(shown, '', sentence, schema) }
}

/** All that a schema found, each in its own line. */
export function problemsIn(yaml: YamlFile, { issues }: z.ZodError): UsageError {
  const each = issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') {
      const key = issue.path.join('.') || 'the file'
      const isAbsent = issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
      return [yaml.problem(issue.path, isAbsent ? `${key} is missing` : `${key}: ${issue.message}`)]
    }
    return issue.keys.map((key) => yaml.problem([...issue.path, key], `"${[...issue.path, key].join('.')}" is no key`))
  })
  const [remedy] = each.map(({ message }) => message.split('\n')[1])
  return new UsageError([...each.map(({ message }) => message.split('\n')[0]), remedy].join('\n'))
}

function mistake(shown: string, place: string, sentence: string, schema: string): UsageError {
  return new UsageError(
    `${shown}${place}  ${sentence}.\n  ${schema} describes every key; correct the file and start again.`,
  )
}

/** Offset of a key's own text, or of a list's entry. */
function placeOfKey(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number | undefined {
  const holder = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  const items: unknown = typeof holder === 'object' && holder !== null && 'items' in holder ? holder.items : undefined
  if (!Array.isArray(items)) return undefined
  const last = path.at(-1)
  for (const [index, item] of items.entries()) {
    const key = (item as { key?: { value?: unknown; range?: readonly number[] } }).key
    if (key !== undefined && String(key.value) === String(last)) return key.range?.[0]
    if (key === undefined && index === last) return (item as { range?: readonly number[] }).range?.[0]
  }
  return undefined
}
