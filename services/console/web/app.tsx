import { useEffect, useState } from 'react'
import { DeploymentScreen } from './deployment-screen.tsx'
import { FleetList } from './fleet-list.tsx'
import { Header } from './header.tsx'
import { isSignedOut, useFleet } from './live.ts'
import { isDemo } from './request.ts'
import { SignedOut } from './signed-out.tsx'

/** One deployment at `/d/:id`; at `/` the list, or the deployment where there is but one. */
export function App() {
  const [demo, setDemo] = useState(false)
  const named = /^\/d\/([^/]+)$/.exec(location.pathname)?.[1]
  useEffect(() => {
    isDemo().then(setDemo, () => undefined)
  }, [])
  return named === undefined ? <Start demo={demo} /> : <DeploymentScreen id={decodeURIComponent(named)} demo={demo} />
}

function Start({ demo }: { readonly demo: boolean }) {
  const fleet = useFleet()
  const { rows, error, connection } = fleet
  const only = rows?.body.length === 1 ? rows.body[0] : undefined
  if (only !== undefined) return <DeploymentScreen id={only.deployment} demo={demo} />
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
