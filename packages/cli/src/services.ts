/** What `interlock run` starts on a cluster, each a process of its own. */
export const services = ['profiler', 'evaluator', 'governor', 'agent', 'notifier', 'console'] as const
export type ServiceName = (typeof services)[number]

/** Besides: the synthetic deployment, and who watches from outside. */
export const runnable = [...services, 'probe', 'watcher'] as const
export type RunnableName = (typeof runnable)[number]
