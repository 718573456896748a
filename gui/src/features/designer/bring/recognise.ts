/** Tells whose workflow a text is. */

import { FloworkError } from "@/api/errors";
import { t } from "@/i18n/words";
import type { Brought } from "./brought";
import { fromN8n, isN8n } from "./n8n/flow";
import { fromNodeRed, nodesOfRed } from "./node-red/flow";

export const LONGEST_TEXT = 20 * 1024 * 1024;
const DEEPEST = 200;

/** What a text of another tool becomes; null where it is none of another tool. Raises SyntaxError where it is no JSON. */
export function bringOver(text: string, taken: Iterable<string>): Brought | null {
  const given = parse(text);
  const only: unknown = Array.isArray(given) && given.length === 1 ? given[0] : given;
  if (isN8n(only)) return fromN8n(only, taken);
  const nodes = nodesOfRed(given);
  return nodes && fromNodeRed(nodes, taken);
}

/** Read JSON of a bounded size and depth. */
export function parse(text: string): unknown {
  if (text.length > LONGEST_TEXT) throw new FloworkError("TOO_LARGE", t("designer.fileTooLarge"));
  if (isDeep(text)) throw new FloworkError("TOO_LARGE", t("bring.tooDeep"));
  return JSON.parse(text);
}

/** Whether brackets stand inside one another deeper than any workflow needs. */
function isDeep(text: string): boolean {
  let depth = 0;
  let inText = false;
  for (let place = 0; place < text.length; place++) {
    const sign = text.charCodeAt(place);
    if (inText) {
      if (sign === 92) place++;
      else if (sign === 34) inText = false;
    } else if (sign === 34) inText = true;
    else if (sign === 123 || sign === 91) {
      if (++depth > DEEPEST) return true;
    } else if (sign === 125 || sign === 93) depth--;
  }
  return false;
}
