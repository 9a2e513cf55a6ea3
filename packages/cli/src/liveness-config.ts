import { z } from 'zod'

const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'use lower-case letters, digits, dot, dash')

const watcher = z.strictObject({
  name: name.describe('of the watcher, and of its key'),
  url: z.url().describe('where processes send their heartbeats: https, or http to this very machine'),
  listen: z.string().optional().describe('address that it binds, where that is another than the host of the url'),
  caFile: z.string().optional().describe('only certificates of this authority are taken (PEM)'),
  certFile: z.string().optional().describe('its certificate (PEM), read by the watcher alone'),
  keyFile: z.string().optional().describe('the private key of that certificate (PEM), read by the watcher alone'),
})
export type WatcherConfig = z.infer<typeof watcher>

/** Sections of interlock.yaml about the dead-man's switch. */
export const livenessSections = {
  watchers: z
    .array(watcher)
    .max(2, 'two watchers are enough: they watch each other')
    .refine((all) => new Set(all.map((one) => one.name)).size === all.length, 'each has a name of its own')
    .default([])
    .describe('dead-man’s switch: who notices that Interlock itself stands still (interlock run watcher)'),
  pager: z
    .strictObject({
      webhooks: z
        .array(z.strictObject({ url: z.url(), secretEnv: z.string(), caFile: z.string().optional() }))
        .default([])
        .describe('signed messages, https or to this machine'),
      command: z
        .array(z.string())
        .min(1)
        .optional()
        .describe('program and arguments; gets the message as JSON on standard input'),
      repeatMinutes: z.int().min(1).max(1_440).default(10).describe('how often people are told while it lasts'),
    })
    .prefault({})
    .describe('how the watchers tell people, apart from the notifier'),
  mustBeat: z
    .array(z.string())
    .optional()
    .describe('components that must send heartbeats; by default every service of this configuration'),
  probe: z
    .boolean()
    .default(false)
    .describe('run the synthetic deployment, which breaches each minute and must be rolled back within 15 s'),
} as const
