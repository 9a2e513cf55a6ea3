import { useSyncExternalStore } from 'react'

const dark = matchMedia('(prefers-color-scheme: dark)')

/** `light` or `dark`, as the reader's system says; charts are drawn anew when it changes. */
export function useScheme(): 'light' | 'dark' {
  return useSyncExternalStore(
    (changed) => {
      dark.addEventListener('change', changed)
      return () => dark.removeEventListener('change', changed)
    },
    () => (dark.matches ? 'dark' : 'light'),
  )
}

/** Reads a colour of style.css, for what is drawn on a canvas. */
export function useToken(): (name: string) => string {
  return (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}
