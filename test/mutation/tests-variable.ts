/** Environment variable through which the runner tells vitest which test files to run, with spaces between. */
export const testsVariable = 'INTERLOCK_MUTATION_TESTS'
