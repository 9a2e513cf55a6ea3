import { type ReactNode, useEffect, useRef } from 'react'

/**
 * A modal of the browser's own: it traps the focus, closes on Esc, and gives the focus back. The focus goes to what is
 * marked `data-first`, else to its first button.
 */
export function Dialog({
  title,
  className = '',
  onClose,
  children,
}: {
  readonly title: string
  readonly className?: string
  readonly onClose: () => void
  readonly children: ReactNode
}) {
  const node = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = node.current
    const before = document.activeElement
    dialog?.showModal()
    dialog?.querySelector<HTMLElement>('[data-first]')?.focus()
    return () => {
      dialog?.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={node}
      className={`dialog ${className}`}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
    >
      <div className="dialog-head">
        <h2>{title}</h2>
        <button type="button" className="button button-small" onClick={onClose}>
          Close
        </button>
      </div>
      {children}
    </dialog>
  )
}
