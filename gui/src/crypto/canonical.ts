/** The one text of a workflow that every client and the engine write alike, for its author's signature. */

type Json = unknown;

/** Return the JSON of a value with the keys of every object sorted; undefined members are left out. */
export const canonicalJson = (value: Json): string => JSON.stringify(sorted(value));

/** The text that is signed for a preset. */
export const presetText = (workflow: object): string => canonicalJson({ workflow_data: workflow });

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const made = Object.create(null) as Record<string, Json>;
  for (const key of Object.keys(value).sort()) made[key] = sorted((value as Record<string, Json>)[key]);
  return made;
}
