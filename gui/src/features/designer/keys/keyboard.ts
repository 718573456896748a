/** Which command a key press means. */

import { COMMANDS, type Command, isOffered } from "./commands";

const isMac = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");

/** Say a key press in the spelling of the commands: Mod+Shift+Z. */
export function spelled(
  event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey"> & { code?: string },
): string {
  // with Alt held a Mac types another sign than is on the key
  const letter = event.altKey ? /^Key([A-Z])$/.exec(event.code ?? "")?.[1] : undefined;
  const typed = letter ?? event.key;
  const key = typed.length === 1 ? typed.toUpperCase() : typed;
  const sign = typed.length === 1 && !/[a-z0-9]/i.test(typed);
  const parts = [
    (isMac ? event.metaKey : event.ctrlKey) && "Mod",
    event.altKey && "Alt",
    event.shiftKey && !sign && "Shift",
    key,
  ];
  return parts.filter(Boolean).join("+");
}

const BY_KEY = new Map(COMMANDS.flatMap((command) => command.keys.map((keys) => [keys, command])));

export function commandOf(event: KeyboardEvent): Command | undefined {
  const meant = BY_KEY.get(spelled(event));
  return meant && isOffered(meant) ? meant : undefined;
}

/** Where somebody types, plain keys belong to the text. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.shadowRoot !== null
  );
}

/** Keys as people read them. */
export const shownKeys = (keys: string): string =>
  keys
    .replace("Mod", isMac ? "⌘" : "Ctrl")
    .replace("ArrowLeft", "←")
    .replace("ArrowRight", "→")
    .replace("ArrowUp", "↑")
    .replace("ArrowDown", "↓");
