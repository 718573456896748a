/** Escape in a code field closes what the field proposes, and only the next one the dialog around it. */

const ESCAPE = "escape-in-code";

/** Close what the field with the focus proposes; tells whether it proposed anything. */
export function closeProposals(): boolean {
  const untouched = document.activeElement?.dispatchEvent(new Event(ESCAPE, { cancelable: true }));
  return untouched === false;
}

/** Have a field asked to close its proposals; `close` tells whether there were any. */
export function onEscape(field: HTMLElement, close: () => boolean): () => void {
  const listener = (event: Event) => close() && event.preventDefault();
  field.addEventListener(ESCAPE, listener);
  return () => field.removeEventListener(ESCAPE, listener);
}
