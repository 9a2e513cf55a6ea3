import { useEffect, useRef, useState } from 'react'
import type { DeploymentPage, DeploymentRow, Envelope, RollbackPlan, Series } from '../src/api.ts'
import { get, Refused } from './request.ts'
import { type Connection, follow } from './stream.ts'

/** Points of a line on the screen at most; older ones leave. */
const shownPoints = 600
/** A page is drawn at most four times a second, its charts once. */
const drawMs = 250
const chartMs = 1_000
/** The plan is kept fresh behind the page, so that its dialog opens at once. */
const planMs = 5_000

export interface Live {
  readonly page: Envelope<DeploymentPage> | null
  readonly series: Series
  readonly plan: RollbackPlan | null
  readonly connection: Connection
  readonly error: Error | null
  /** The server's clock less this browser's, ms. */
  readonly skewMs: number
}

const nothing: Live = {
  page: null,
  series: { panes: [], evidence: [] },
  plan: null,
  connection: 'connecting',
  error: null,
  skewMs: 0,
}

/** Keeps one deployment on the screen as the server knows it. Nothing is shown before the server said it. */
export function useDeployment(id: string): Live {
  const [live, setLive] = useState<Live>(nothing)
  useEffect(() => {
    let isOver = false
    let lastPane = 0
    const base = `/api/v1/deployments/${encodeURIComponent(id)}`
    const patch = (part: Partial<Live>): void => {
      if (!isOver) setLive((before) => ({ ...before, ...part }))
    }
    const loadPage = async (): Promise<void> => {
      const page = await get<DeploymentPage>(base)
      patch({ page, error: null, skewMs: Date.parse(page.asOf) - Date.now() })
    }
    const loadPlan = async (): Promise<void> => patch({ plan: (await get<RollbackPlan>(`${base}/rollback-plan`)).body })
    const loadSeries = async (afresh: boolean): Promise<void> => {
      const from = afresh ? 0 : lastPane + 1
      const { body } = await get<Series>(`${base}/series?points=${afresh ? shownPoints / 2 : shownPoints}&from=${from}`)
      lastPane = body.panes.reduce((last, { at }) => Math.max(last, at), afresh ? 0 : lastPane)
      if (!isOver) setLive((before) => ({ ...before, series: afresh ? body : joined(before.series, body) }))
    }
    const onError = (error: unknown): void =>
      patch({ error: error instanceof Error ? error : new Error(String(error)) })
    const page = gathered(loadPage, drawMs, onError)
    const series = gathered(() => loadSeries(false), chartMs, onError)
    const plan = gathered(loadPlan, chartMs, onError)
    const afresh = gathered(() => loadSeries(true), chartMs, onError)
    const stop = follow([`d:${id}`], {
      onConnection: (connection) => patch({ connection }),
      onChange: (changed) => {
        page()
        // What is ready and what helps changes with the state; the traffic that it touches is asked for each 5 s.
        if (changed === null || changed.includes('state')) plan()
        if (changed === null) afresh()
        else if (changed.includes('panes')) series()
      },
    })
    const timer = setInterval(plan, planMs)
    return () => {
      isOver = true
      clearInterval(timer)
      stop()
    }
  }, [id])
  return live
}

export interface Fleet {
  readonly rows: Envelope<readonly DeploymentRow[]> | null
  readonly connection: Connection
  readonly error: Error | null
}

/** Keeps the list of deployments. */
export function useFleet(): Fleet {
  const [fleet, setFleet] = useState<Fleet>({ rows: null, connection: 'connecting', error: null })
  useEffect(() => {
    const load = gathered(
      async () => {
        const rows = await get<readonly DeploymentRow[]>('/api/v1/deployments')
        setFleet((before) => ({ ...before, rows, error: null }))
      },
      drawMs * 4,
      (error) => setFleet((before) => ({ ...before, error: error as Error })),
    )
    const timer = setInterval(load, 10_000)
    const stop = follow(['fleet'], {
      onConnection: (connection) => setFleet((before) => ({ ...before, connection })),
      onChange: load,
    })
    return () => {
      clearInterval(timer)
      stop()
    }
  }, [])
  return fleet
}

/** How often what is not on the stream is asked for. */
const slowMs = 10_000

/** What the API says at a path, asked for again each 10 s; null before its first answer. */
export function useSlow<Body>(path: string): { readonly body: Body | null; readonly error: Error | null } {
  const [known, setKnown] = useState<{ readonly body: Body | null; readonly error: Error | null }>({
    body: null,
    error: null,
  })
  useEffect(() => {
    let isOver = false
    const load = (): void => {
      get<Body>(path).then(
        ({ body }) => isOver || setKnown({ body, error: null }),
        (error: Error) => isOver || setKnown((before) => ({ ...before, error })),
      )
    }
    load()
    const timer = setInterval(load, slowMs)
    return () => {
      isOver = true
      clearInterval(timer)
    }
  }, [path])
  return known
}

/** The server's time now, each second. */
export function useNow(skewMs: number): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  return now + skewMs
}

/** The newest value, for handlers that are set up once. */
export function useLatest<Value>(value: Value): { readonly current: Value } {
  const latest = useRef(value)
  latest.current = value
  return latest
}

export function isSignedOut(error: Error | null): boolean {
  return error instanceof Refused && error.status === 401
}

/** Runs at once, then at most once in `ms`, one at a time; a call meanwhile runs it once more. */
function gathered(run: () => Promise<void>, ms: number, onError: (error: unknown) => void): () => void {
  let isRunning = false
  let again = false
  const go = async (): Promise<void> => {
    if (isRunning) {
      again = true
      return
    }
    isRunning = true
    const began = Date.now()
    await run().catch(onError)
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, ms - (Date.now() - began))))
    isRunning = false
    if (!again) return
    again = false
    void go()
  }
  return () => void go()
}

function joined(before: Series, more: Series): Series {
  const lineOf = (one: { readonly version: string; readonly guardrail?: string }): string =>
    `${one.guardrail ?? ''} ${one.version}`
  return {
    panes: newest([...before.panes, ...more.panes], lineOf),
    evidence: newest([...before.evidence, ...more.evidence], lineOf),
  }
}

function newest<Point extends { readonly at: number }>(
  points: readonly Point[],
  lineOf: (point: Point) => string,
): Point[] {
  const lines = new Map<string, Point[]>()
  for (const point of points) {
    const line = lines.get(lineOf(point))
    if (line === undefined) lines.set(lineOf(point), [point])
    else line.push(point)
  }
  return [...lines.values()].flatMap((line) => line.slice(-shownPoints))
}
