export { type Delivery, deliver } from './deliver.ts'
export { type Message, messageOf } from './message.ts'
export { logSink, type Sink } from './sink.ts'
export { signWebhook, type WebhookOptions, webhookSink } from './webhook.ts'
