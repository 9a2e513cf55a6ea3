import { defineConfig } from 'vitest/config'
import { testsVariable } from './tests-variable.ts'

/** Only the tests that `main.ts` chose for the file whose mutants are tried. */
export default defineConfig({
  test: { include: (process.env[testsVariable] ?? '').split(' '), testTimeout: 60_000 },
})
