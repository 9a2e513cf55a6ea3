import { useEffect, useRef, useState } from 'react'

/** News are read aloud at most so often. */
const newsMs = 5_000

/** Reads a changed sentence to those who listen to the page. */
export function News({ sentence }: { readonly sentence: string }) {
  const [told, setTold] = useState('')
  const last = useRef(0)
  const first = useRef(sentence)
  useEffect(() => {
    if (sentence === first.current) return
    first.current = ''
    const timer = setTimeout(
      () => {
        last.current = Date.now()
        setTold(sentence)
      },
      Math.max(0, last.current + newsMs - Date.now()),
    )
    return () => clearTimeout(timer)
  }, [sentence])
  return (
    <p className="unseen" role="status">
      {told}
    </p>
  )
}
