import type { DecisionKind } from '@interlock/contracts'
import { useEffect, useState } from 'react'
import type { DeploymentPage, LogPlace, Why } from '../src/api.ts'
import { Dialog } from './dialog.tsx'
import { EvidenceBar } from './evidence-bar.tsx'
import { get } from './request.ts'
import { CopyHash, CopyText } from './timeline.tsx'
import { actor, clock, count, outcomeWords, percent, shortVersion } from './words.ts'

/** Decision, the evidence it names, the counts behind that, and the records that were counted: three hops, one hash. */
export function WhyDrawer({
  deployment,
  decision,
  page,
  onClose,
}: {
  readonly deployment: string
  /** Hash of the decision, or null for the one that explains the present. */
  readonly decision: string | null
  readonly page: DeploymentPage
  readonly onClose: () => void
}) {
  const [why, setWhy] = useState<Why | null>(null)
  const [failed, setFailed] = useState('')
  useEffect(() => {
    const path =
      decision === null ? `/api/v1/deployments/${encodeURIComponent(deployment)}/why` : `/api/v1/why/${decision}`
    get<Why>(path).then(
      ({ body }) => setWhy(body),
      (error: Error) => setFailed(error.message),
    )
  }, [deployment, decision])
  return (
    <Dialog title="Why" className="drawer" onClose={onClose}>
      {failed !== '' && <p role="alert">{failed}</p>}
      {why === null ? failed === '' && <p className="muted">Loading…</p> : <Hops why={why} page={page} />}
    </Dialog>
  )
}

function Hops({ why, page }: { readonly why: Why; readonly page: DeploymentPage }) {
  const { decision, evidence, counts, ranges, sources } = why
  const about = decision.guardrail
  const name = about === null ? '' : (page.policy?.names[about.guardrail] ?? about.guardrail)
  return (
    <ol className="hops">
      <li>
        <h3>Decision</h3>
        <p>{decision.text}</p>
        <p className="muted">
          {outcomeWords[decision.outcome]} at {clock(decision.at)} UTC by {actor(decision.by)}, rule {decision.rule},
          policy <code>{decision.policy.slice(0, 8)}</code>. Hash <CopyHash hash={decision.id} />
        </p>
        <Place place={sources.decision} />
      </li>
      <li>
        <h3>Evidence</h3>
        {about === null ? (
          <p>It rests on what a person asked, or on a timer, and not on evidence.</p>
        ) : (
          <>
            <EvidenceBar harm={about.evidence.logE.harm} limit={about.limit} name={name} />
            <p>
              {name} in {shortVersion(about.version)}
              {about.evidence.onset !== null && `, since ${clock(about.evidence.onset.from)} UTC`}.
            </p>
            {about.evidence.drivers.length > 0 && (
              <table>
                <thead>
                  <tr>
                    <th scope="col">Where</th>
                    <th scope="col">Now</th>
                    <th scope="col">Before</th>
                    <th scope="col">Part of it</th>
                  </tr>
                </thead>
                <tbody>
                  {about.evidence.drivers.map((driver) => (
                    <tr key={`${driver.dimension} ${driver.value}`}>
                      <th scope="row">
                        {driver.dimension === 'bin'
                          ? driver.value
                          : `${driver.dimension.replace('segment:', '')} ${driver.value}`}
                      </th>
                      <td>{percent(driver.now, 1)}</td>
                      <td>{percent(driver.reference, 1)}</td>
                      <td>{percent(driver.share)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
            {decision.evidence !== null && (
              <p className="muted">
                Hash <CopyHash hash={decision.evidence} />
                {evidence === null && ' It is not among the evidence that is kept here.'}
              </p>
            )}
          </>
        )}
        {sources.evidence !== null && <Place place={sources.evidence} />}
      </li>
      <li>
        <h3>Counts</h3>
        {counts === null ? (
          <p>None.</p>
        ) : (
          <p>
            {count(counts.n)} rows held against {count(counts.m)}
            {counts.events.now + counts.events.reference > 0 &&
              `; ${count(counts.events.now)} and ${count(counts.events.reference)} of them were hits`}
            .
          </p>
        )}
      </li>
      <li>
        <h3>Records that were counted</h3>
        {ranges.length === 0 ? (
          <p>{evidence === null ? 'None.' : 'Their places did not reach the console yet.'}</p>
        ) : (
          <ul className="ranges">
            {ranges.map(({ topic, partition, from, to }) => (
              <li key={`${topic} ${partition}`}>
                <code>
                  {topic}/{partition}
                </code>{' '}
                offsets {from} to {to}
              </li>
            ))}
          </ul>
        )}
      </li>
      {withdrawals.has(decision.outcome) && (
        <li>
          <h3>Who got its answers</h3>
          <p>
            A signed list of every answer since the onset: <code>interlock receipt {decision.id.slice(0, 8)}…</code>{' '}
            <CopyText text={`interlock receipt ${decision.id}`} name="command" />
          </p>
        </li>
      )}
    </ol>
  )
}

/** Outcomes that a receipt can be made of. */
const withdrawals: ReadonlySet<DecisionKind> = new Set(['rolled-back', 'ramped-down', 'fell-back'])

function Place({ place }: { readonly place: LogPlace }) {
  return (
    <p className="muted">
      <code>
        {place.topic}/{place.shard}
      </code>{' '}
      offset {place.offset}
    </p>
  )
}
