import { readdirSync } from 'node:fs'

/** `npm run bench -- <name> [flags]`: runs `test/bench/<name>.ts`, which exports `bench(flags)`. */
const [name, ...flags] = process.argv.slice(2)
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'main.ts')
  .map((file) => file.slice(0, -'.ts'.length))
  .sort()

if (name === undefined || !names.includes(name)) {
  console.error(`${name === undefined ? 'Which benchmark?' : `There is no benchmark "${name}".`} There are:`)
  for (const known of names) console.error(`  npm run bench -- ${known}`)
  process.exitCode = 2
} else {
  const { bench } = (await import(`./${name}.ts`)) as { bench(flags: readonly string[]): void | Promise<void> }
  await bench(flags)
}
