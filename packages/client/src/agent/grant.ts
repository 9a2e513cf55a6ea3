import type { Command, Desired, Observed } from '@interlock/contracts'

/**
 * When the newest command's grant began, on this process's monotonic clock. A restart cannot know how long it was away,
 * so what was on the topic before it started counts as lapsed since the start, until a newer revision comes.
 */
export type GrantClock =
  | { readonly kind: 'granted'; readonly at: number }
  | { readonly kind: 'restarted'; readonly at: number }

/** How long the grant has been lapsed, ms; negative while it still holds. A command without a grant never lapses. */
export function lapsedMs(command: Command, clock: GrantClock, now: number): number {
  if (command.grant === null) return Number.NEGATIVE_INFINITY
  return clock.kind === 'restarted' ? now - clock.at : now - clock.at - command.grant.ms
}

/**
 * What the platform shall do now: the command's desired state while its grant holds; after a lapse what `onLapse` says
 * for that long a lapse, and never more exposure than the platform has at this moment.
 */
export function desiredNow(command: Command, clock: GrantClock, now: number, observed: Observed): Desired {
  const lapsed = lapsedMs(command, clock, now)
  if (lapsed < 0) return command.desired
  const due = (command.grant?.onLapse ?? []).filter((step) => step.afterMs <= lapsed)
  const step = due.reduce<(typeof due)[number] | undefined>(
    (latest, one) => (latest === undefined || one.afterMs >= latest.afterMs ? one : latest),
    undefined,
  )
  const desired = step?.desired ?? command.desired
  return neverMore(desired, observed)
}

function neverMore(desired: Desired, observed: Observed): Desired {
  if (desired.candidate === null || desired.candidate !== observed.candidate) {
    // The platform does not serve this candidate now: without a grant it does not begin to.
    return {
      ...desired,
      candidate: observed.candidate === desired.candidate ? desired.candidate : null,
      shareMax: 0,
      shadow: false,
    }
  }
  return { ...desired, shareMax: Math.min(desired.shareMax, observed.share), shadow: desired.shadow && observed.shadow }
}
