/** Signed presets: the one text of a workflow that every program writes alike (protocol §2.6). */

import { FloworkError } from "@/api/errors";
import type { Signer } from "@/wallet/signer";

const MOST_LEVELS = 100;
const LAST_INDEX = 2 ** 32 - 2;
const INDEX = /^(0|[1-9][0-9]{0,9})$/;

/** Return a value's canonical JSON: sorted keys (array indices first, by number), no spaces, ECMAScript numbers. */
export function canonicalJson(value: unknown, levels = MOST_LEVELS): string {
  if (levels === 0) {
    throw new FloworkError("INVALID_REQUEST", `A preset is nested deeper than ${MOST_LEVELS} levels.`);
  }
  if (Array.isArray(value)) {
    return `[${value.map((item) => canonicalJson(item === undefined ? null : item, levels - 1)).join(",")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    members.sort(([one], [other]) => compareKeys(one, other));
    const texts = members.map(
      ([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member, levels - 1)}`,
    );
    return `{${texts.join(",")}}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new FloworkError("INVALID_REQUEST", "A preset cannot hold NaN or Infinity.");
  }
  const text = JSON.stringify(value);
  if (text === undefined)
    throw new FloworkError("INVALID_REQUEST", `A preset cannot hold a ${typeof value}.`);
  return text;
}

const indexOf = (key: string): number | null =>
  INDEX.test(key) && Number(key) <= LAST_INDEX ? Number(key) : null;

function compareKeys(one: string, other: string): number {
  const first = indexOf(one);
  const second = indexOf(other);
  if (first !== null && second !== null) return first - second;
  if (first !== null) return -1;
  if (second !== null) return 1;
  return one < other ? -1 : 1;
}

/** The text that is signed for a preset. */
export const presetText = (workflow: object): string => canonicalJson({ workflow_data: workflow });

export const signPreset = (signer: Signer, workflow: object): Promise<string> =>
  signer.attest(presetText(workflow));
