import Fastify, { type FastifyInstance } from 'fastify'
export function createConsole(o: { token: string; routes: (app: FastifyInstance) => void } & Record<string, unknown>) {
  const app = Fastify({ bodyLimit: 1 << 20 })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_r, b, done) => done(null, b))
  app.get('/healthz', async () => ({ ok: true }))
  o.routes(app)
  return {
    feed: (..._a: unknown[]) => undefined,
    listen: (port: number, host: string) => app.listen({ port, host }),
    close: () => app.close(),
  }
}
