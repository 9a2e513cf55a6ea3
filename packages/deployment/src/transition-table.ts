/**
 * A state machine as a table that a person can check: rows are where we are, columns what happened, cells where we go.
 * An absent cell is refused: the event changes nothing there.
 */
export type TransitionTable<State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Event, State>>>>
>

/** @returns where `event` leads from `state`, or undefined where the table refuses it. */
export function transition<State extends string, Event extends string>(
  table: TransitionTable<State, Event>,
  state: State,
  event: Event,
): State | undefined {
  return table[state][event]
}
