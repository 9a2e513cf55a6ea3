import { existsSync } from 'node:fs'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import serveStatic from '@fastify/static'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { z } from 'zod'
import { Access, assertOwnHost, assertOwnOrigin } from './access.ts'
import type { ConsolePorts } from './api.ts'
import { openapiOf } from './openapi.ts'
import { Problem, sendProblem } from './problem.ts'
import { parsed, type Route } from './route.ts'

const maxBodyBytes = 64 * 1_024
/** Raw bodies of ingest and signed requests. */
const maxRawBytes = 1 << 20
const requestTimeoutMs = 30_000
/** Requests a minute and principal. A page asks about 300, a watching CLI 250; a router sends batches all the time. */
const perMinute = { all: 1_500, raw: 30_000, session: 20 } as const

export interface Served extends Pick<ConsolePorts, 'token' | 'now' | 'routes' | 'report' | 'isReady'> {
  readonly web: string
  readonly demo: boolean
  /** Whether it can tell of dead letters. */
  readonly letters: boolean
  readonly api: readonly Route[]
  readonly metrics: () => string
}

/** The HTTP side: who may ask, how often, in what shape, and with which headers it is answered. */
export async function serverOf(served: Served): Promise<FastifyInstance> {
  const { token, now, api, metrics, isReady = () => true } = served
  const access = new Access(token, now)
  const report = served.report ?? ((error, id) => console.error(`request ${id}:`, error))
  const app = fastify({
    bodyLimit: maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 128 },
    genReqId: () => crypto.randomUUID(),
  })
  const portOf = (): number => {
    const address = app.server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, report))
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      new Problem(404, 'Not found', `Nothing is at ${request.method} ${request.url.split('?')[0]}.`),
      request,
      reply,
      report,
    ),
  )
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    assertOwnHost(request.headers, portOf())
  })
  await app.register(helmet, headers)
  await app.register(rateLimit, {
    max: perMinute.all,
    timeWindow: 60_000,
    cache: 1_000,
    // Whoever does not hold the token shares one bucket of his own, and empties nobody else's.
    keyGenerator: (request) => access.principalOf(request.headers, portOf()) ?? `nobody at ${request.ip}`,
    errorResponseBuilder: (_, { after }) =>
      new Problem(429, 'Too many requests', `Ask again in ${after}. A stream tells of changes without asking.`),
  })

  const authenticated = (only?: 'bearer') => async (request: FastifyRequest) => {
    const principal = access.principalOf(request.headers, portOf())
    if (principal !== null && (only === undefined || principal === only)) return
    throw new Problem(
      401,
      'Not signed in',
      only === 'bearer'
        ? 'It needs the header "authorization: Bearer <token>"; the token is in endpoint.json of the data folder.'
        : 'Open the link that `interlock up` printed, or send the header "authorization: Bearer <token>".',
    )
  }

  app.get('/healthz', async () => ({ ok: true }))
  app.get('/readyz', async (_, reply) => reply.code(isReady() ? 200 : 503).send({ ok: isReady() }))
  app.get('/metrics', async (_, reply) => reply.type('text/plain; version=0.0.4').send(metrics()))
  const openapi = openapiOf(api)
  app.get('/openapi.json', async () => openapi)

  app.post('/api/v1/session', limited(perMinute.session), async (request, reply) => {
    assertOwnOrigin(request.headers, portOf())
    const body = parsed(z.strictObject({ token: z.string().min(1).max(512) }), request.body, 'body')
    if (!access.isToken(body.token)) {
      throw new Problem(
        401,
        'Not signed in',
        'This link is not from the Interlock that runs now: take its newest link.',
      )
    }
    return reply.header('set-cookie', access.sessionCookie(portOf())).code(204).send()
  })

  await app.register(async (scope) => {
    scope.addHook('onRequest', authenticated())
    scope.addHook('onRequest', async (request, reply) => {
      reply.header('cache-control', 'no-store')
      if (request.method !== 'GET' && request.method !== 'HEAD') assertOwnOrigin(request.headers, portOf())
    })
    for (const { method, url, status = 200, perMinute: limit, only, answer } of api) {
      scope.route({
        method,
        url,
        ...(only === undefined ? {} : { onRequest: authenticated(only) }),
        ...(limit === undefined ? {} : limited(limit)),
        handler: async (request, reply) => {
          const body = await answer(request, reply)
          if (reply.raw.headersSent) return reply
          return reply.code(status).send(body)
        },
      })
    }
  })

  if (served.routes !== undefined) {
    const { routes } = served
    await app.register(async (scope) => {
      scope.addHook('onRequest', authenticated('bearer'))
      scope.addHook('onRoute', (route) => {
        route.config = { ...route.config, ...limited(perMinute.raw).config }
      })
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: maxRawBytes }, (_, body, done) =>
        done(null, body),
      )
      routes(scope)
    })
  }

  await servePage(app, served)
  return app
}

function limited(max: number) {
  return { config: { rateLimit: { max, timeWindow: 60_000 } } }
}

/** The page, under every address that it routes itself; its assets are named by content and kept for ever. */
async function servePage(app: FastifyInstance, { web, demo, letters }: Served): Promise<void> {
  app.get('/page.json', async (_, reply) => reply.header('cache-control', 'no-store').send({ demo, letters }))
  if (!existsSync(`${web}/index.html`)) {
    app.get('/', async () => {
      throw new Problem(
        503,
        'Not built',
        'The page is not built. Run `npx turbo run build`, then start Interlock again.',
      )
    })
    return
  }
  await app.register(serveStatic, {
    root: web,
    index: false,
    cacheControl: false,
    setHeaders: (reply, path) => {
      const isNamedByContent = path.includes('/assets/')
      reply.header('cache-control', isNamedByContent ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
  for (const url of ['/', '/d/:id']) app.get(url, (_, reply) => reply.sendFile('index.html'))
}

/** Nothing inline, nothing from elsewhere, in no frame. Plain HTTP on the loopback: no upgrade to TLS is asked for. */
const headers = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: false,
  referrerPolicy: { policy: 'no-referrer' as const },
} as const
