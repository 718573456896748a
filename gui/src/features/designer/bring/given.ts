/** Reads JSON of strangers: what is too long is cut, what has another type counts as missing. Nothing of it is run. */

export type Given = Record<string, unknown>;

export const MOST_STEPS = 2000;
export const MOST_WIRES = 5000;
const LONGEST_NAME = 120;
const LONGEST_TEXT = 100_000;
const DEEPEST = 30;
/** Signs that steer a terminal or turn text around have no place in a name. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}]+/gu;

export const isGiven = (value: unknown): value is Given =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A member that the object has itself: names such as constructor find nothing. */
export const member = (value: unknown, name: string): unknown =>
  isGiven(value) && Object.hasOwn(value, name) ? value[name] : undefined;

/** What one of our tables has for a name of theirs. */
export const entryOf = <Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** Follow names into objects. */
export const at = (value: unknown, ...names: string[]): unknown =>
  names.reduce<unknown>((found, name) => member(found, name), value);

export const objectAt = (value: unknown, ...names: string[]): Given => {
  const found = at(value, ...names);
  return isGiven(found) ? found : {};
};

export const listAt = (value: unknown, ...names: string[]): unknown[] => {
  const found = at(value, ...names);
  return Array.isArray(found) ? found : [];
};

export const textAt = (value: unknown, ...names: string[]): string => {
  const found = at(value, ...names);
  if (typeof found === "number" || typeof found === "boolean") return String(found);
  return typeof found === "string" ? found.slice(0, LONGEST_TEXT) : "";
};

export const numberAt = (value: unknown, name: string): number | null => {
  const found = member(value, name);
  const number = typeof found === "string" && found.trim() !== "" ? Number(found) : found;
  return typeof number === "number" && Number.isFinite(number) ? number : null;
};

/** A name as it may be shown and used: one line, no unseen signs, not long. */
export const nameOf = (value: unknown): string =>
  (typeof value === "string" ? value : "")
    .slice(0, 4 * LONGEST_NAME)
    .replace(UNSEEN, " ")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, LONGEST_NAME);

const PLACES = 1_000_000;
/** A coordinate on the canvas. */
export const placeOf = (value: unknown): number =>
  typeof value === "number" && Number.isFinite(value)
    ? Math.round(Math.min(PLACES, Math.max(-PLACES, value)))
    : 0;

/** A text that no expression of ours is read from. */
export const neutral = (text: string): string =>
  text.replace(/\{(?=[{%])/g, "{ ").replace(/([}%])(?=\})/g, "$1 ");

/** A text that is taken as it stands, such as a name; see `neutral`. */
export const plainAt = (value: unknown, ...names: string[]): string => neutral(textAt(value, ...names));

/** A value whose texts were changed; what is nested too deep is left out. */
export function mapTexts(value: unknown, change: (text: string) => unknown, depth = 0): unknown {
  if (typeof value === "string") return change(value.slice(0, LONGEST_TEXT));
  if (depth > DEEPEST) return null;
  if (Array.isArray(value))
    return value.slice(0, MOST_WIRES).map((item) => mapTexts(item, change, depth + 1));
  if (isGiven(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, mapTexts(item, change, depth + 1)]),
    );
  }
  return value;
}

const MOST_KEPT = 8000;
/** The original settings to look up what a step did; null where they are too large to keep. */
export function keptSettings(settings: unknown): unknown {
  const text = JSON.stringify(settings) ?? "";
  return text.length <= MOST_KEPT ? mapTexts(settings, (item) => item) : null;
}
