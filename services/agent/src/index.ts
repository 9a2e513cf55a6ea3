export type {
  Applied,
  EndpointOptions,
  Intent,
  KeptCommands,
  Platform,
  ReconcilerOptions,
  RunAgentOptions as AgentOptions,
  Verified,
  VerifiedCommand,
} from '@interlock/client/agent'
export {
  commandCheck,
  fileIntent,
  keptInFolder,
  memoryPlatform,
  openKeysetFile,
  PlatformError,
  Reconciler,
  runAgent,
  satisfies,
} from '@interlock/client/agent'
export { execPlatform } from './platforms/exec.ts'
export { httpPlatform } from './platforms/http.ts'
export { routerPlatform } from './platforms/router.ts'
