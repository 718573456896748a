/** Undo and redo over immutable values; changes of one kind in quick succession count as one. */

export interface History<Value> {
  past: readonly Value[];
  present: Value;
  future: readonly Value[];
  /** What the last change was, so that the next of its kind joins it. */
  mark: { kind: string; at: number } | null;
}

const MOST = 200;
const TOGETHER_MS = 1000;

export const startHistory = <Value>(present: Value): History<Value> => ({
  past: [],
  present,
  future: [],
  mark: null,
});

export function record<Value>(
  history: History<Value>,
  value: Value,
  kind: string | null,
  nowMs: number,
): History<Value> {
  if (value === history.present) return history;
  const { mark } = history;
  const joins = kind !== null && mark?.kind === kind && nowMs - mark.at < TOGETHER_MS;
  return {
    past: joins ? history.past : [...history.past, history.present].slice(-MOST),
    present: value,
    future: [],
    mark: kind === null ? null : { kind, at: nowMs },
  };
}

export function undo<Value>(history: History<Value>): History<Value> {
  const before = history.past.at(-1);
  if (before === undefined) return history;
  return {
    past: history.past.slice(0, -1),
    present: before,
    future: [history.present, ...history.future],
    mark: null,
  };
}

export function redo<Value>(history: History<Value>): History<Value> {
  const [after, ...rest] = history.future;
  if (after === undefined) return history;
  return { past: [...history.past, history.present], present: after, future: rest, mark: null };
}
