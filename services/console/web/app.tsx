import { useEffect, useState } from 'react'
import { DeploymentScreen } from './deployment-screen.tsx'
import { FleetList } from './fleet-list.tsx'
import { Header } from './header.tsx'
import { isSignedOut, useFleet } from './live.ts'
import { type PageFacts, pageFacts } from './request.ts'
import { SignedOut } from './signed-out.tsx'

/** One deployment at `/d/:id`; at `/` the list, or the deployment where there is but one. */
export function App() {
  const [facts, setFacts] = useState<PageFacts>({ demo: false, letters: false })
  const named = /^\/d\/([^/]+)$/.exec(location.pathname)?.[1]
  useEffect(() => {
    pageFacts().then(setFacts, () => undefined)
  }, [])
  return named === undefined ? <Start {...facts} /> : <DeploymentScreen id={decodeURIComponent(named)} {...facts} />
}

function Start({ demo, letters }: PageFacts) {
  const fleet = useFleet()
  const { rows, error, connection } = fleet
  const only = rows?.body.length === 1 ? rows.body[0] : undefined
  if (only !== undefined) return <DeploymentScreen id={only.deployment} demo={demo} letters={letters} />
  return (
    <>
      <Header demo={demo} connection={connection} evaluated={null} />
      <main id="main" className="page">
        <h1>Deployments</h1>
        {isSignedOut(error) ? <SignedOut /> : <FleetList rows={rows} error={error} />}
      </main>
    </>
  )
}
