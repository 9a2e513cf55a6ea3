import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Checked, check, extendsOf, type Known, type PolicyLayerSource } from '@interlock/policy'
import { UsageError } from './errors.ts'

/** A policy as it lies in files: its own source, and the sources that it extends, by the names that it gives them. */
export interface PolicyFiles {
  readonly source: string
  readonly layers: readonly PolicyLayerSource[]
}

/** Reads a policy file and those that it extends, beside it. @throws UsageError for a file that cannot be read */
export function readPolicyFiles(file: string): PolicyFiles {
  const source = read(file, file)
  const layers = extendsOf(source).map((name) => {
    const path = resolve(dirname(file), name)
    return { file: name, source: read(path, `${file}: extends "${name}", which`) }
  })
  return { source, layers }
}

/** Checks what lies in files, as of now. Problems of a layer name its file as the shell would, not as the policy does. */
export function checkPolicyFiles(file: string, { source, layers }: PolicyFiles, known?: Known): Checked {
  const { policy, problems } = check(source, file, known, { layers, now: Date.now() })
  const isLayer = (name: string): boolean => name !== file && layers.some((layer) => layer.file === name)
  const placed = problems.map((one) => (isLayer(one.file) ? { ...one, file: join(dirname(file), one.file) } : one))
  return { policy, problems: placed }
}

function read(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${what}${what === path ? ':' : ''} cannot be read (${reason}).`)
  }
}
