import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { signIn } from './request.ts'

const root = createRoot(document.querySelector('#app') as HTMLElement)

// The link's token is exchanged before anything is asked; a link of an earlier run is told by the first answer.
signIn()
  .catch(() => undefined)
  .finally(() => root.render(<App />))
