import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { bugs } from './bugs.ts'

/**
 * Puts one bug of bugs.ts into the code as it is loaded: `INTERLOCK_TEST_BUG='<name>' node --import ./test/simulation/bug-loader.ts …`.
 * Production code has no switch for it. A bug whose text is not found exactly once fails loudly: then the code has changed, and
 * the bug must be written anew.
 */
const name = process.env.INTERLOCK_TEST_BUG
if (name !== undefined && name !== '') {
  const bug = bugs.find((each) => each.name === name)
  if (bug === undefined) throw new Error(`there is no bug "${name}" in test/simulation/bugs.ts`)
  const home = fileURLToPath(new URL('../../', import.meta.url))
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const edits = url.startsWith('file:') ? bug.edits.filter(({ file }) => fileURLToPath(url) === home + file) : []
      if (edits.length === 0) return loaded
      const { source } = loaded
      if (source === undefined || source === null) throw new Error(`${url} came without its source`)
      let text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString('utf8')
      for (const { file, find, replace } of edits) {
        const parts = text.split(find)
        if (parts.length !== 2) {
          throw new Error(`bug "${bug.name}": its text stands ${parts.length - 1} times in ${file}; write it anew`)
        }
        text = parts.join(replace)
      }
      return { ...loaded, source: text }
    },
  })
}
