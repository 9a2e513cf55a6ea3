import { useState } from 'react'
import { Dialog } from './dialog.tsx'

const setting = 'interlock.single-keys'

/** Whether single letters act (WCAG 2.1.4: they can be switched off). */
export function singleKeysAreOn(): boolean {
  try {
    return localStorage.getItem(setting) !== 'off'
  } catch {
    return true
  }
}

export function KeysDialog({ onClose }: { readonly onClose: () => void }) {
  const [isOn, setOn] = useState(singleKeysAreOn)
  const change = (on: boolean): void => {
    localStorage.setItem(setting, on ? 'on' : 'off')
    setOn(on)
  }
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className="keys">
        <dt>
          <kbd>r</kbd>
        </dt>
        <dd>Plan a rollback; nothing is sent before you confirm</dd>
        <dt>
          <kbd>w</kbd>
        </dt>
        <dd>Why: decision, evidence, counts, records</dd>
        <dt>
          <kbd>← →</kbd>
        </dt>
        <dd>Move along a chart that has the focus</dd>
        <dt>
          <kbd>Ctrl Enter</kbd>
        </dt>
        <dd>Confirm the open dialog</dd>
        <dt>
          <kbd>Esc</kbd>
        </dt>
        <dd>Close the open dialog</dd>
        <dt>
          <kbd>?</kbd>
        </dt>
        <dd>This list</dd>
      </dl>
      <label className="check">
        <input type="checkbox" checked={isOn} onChange={(event) => change(event.target.checked)} /> Single letters act
      </label>
    </Dialog>
  )
}
