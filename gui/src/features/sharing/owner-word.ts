/** What an owner signs to share: read before it is signed, because the gateway proposed the text. */

import { sha256 } from "@noble/hashes/sha2.js";
import { FloworkError } from "@/api/errors";
import type { SharedEngine, ShareLevel } from "@/contract/contract.gen";
import { sameAddress } from "@/crypto/address";
import { hexOf, utf8 } from "@/crypto/bytes";

/** What a guest may do on an engine. */
export type GuestRole = SharedEngine["role"];

const GRANT = [
  /^Flowork grant, version 1$/,
  /^Engine: (?<engine>.+)$/,
  /^Guest: (?<guest>0x[0-9a-fA-F]{40})$/,
  /^Role: (?<role>reader|runner|admin)$/,
  /^Preset: (?<preset>\*|".*")$/,
  /^Epoch: [0-9]{1,16}$/,
  /^Expires: [0-9TZ:.-]{24}$/,
];
const LINK = [
  /^Flowork share link, version 1$/,
  /^Engine: (?<engine>.+)$/,
  /^Preset: (?<preset>".*")$/,
  /^Level: (?<level>[a-z-]+)$/,
  /^Token: (?<token>[0-9a-f]{64})$/,
  /^Epoch: [0-9]{1,16}$/,
  /^Expires: (?<expires>never|[0-9TZ:.-]{24})$/,
];

function read(text: string, lines: RegExp[]): Record<string, string> {
  const given = text.split("\n");
  const found: Record<string, string> = {};
  const fits = lines.map((line, place) => {
    const match = line.exec(given[place] ?? "");
    Object.assign(found, match?.groups);
    return match !== null;
  });
  if (given.length !== lines.length || fits.includes(false)) throw refused();
  return found;
}

const refused = () =>
  new FloworkError(
    "BAD_SIGNATURE",
    "The gateway proposed to sign something else than what you asked for. Nothing was signed.",
  );

/** Return the text if it gives this guest this role on this engine, and nothing more; throws otherwise. */
export function checkedGrant(
  text: string,
  asked: { engine: string; guest: string; role: GuestRole },
): string {
  const said = read(text, GRANT);
  const same = said.engine === asked.engine && said.role === asked.role && said.preset === "*";
  if (!same || !sameAddress(said.guest ?? "", asked.guest)) throw refused();
  return text;
}

/** Return the text if it opens this workflow up to this level for the holder of this token; throws otherwise. */
export function checkedLink(
  text: string,
  asked: { engine: string; preset: string; level: ShareLevel; token: string | null; expires: string | null },
): string {
  const said = read(text, LINK);
  const ends = said.expires === "never" ? null : Date.parse(said.expires ?? "");
  const same =
    said.engine === asked.engine &&
    said.level === asked.level &&
    JSON.parse(said.preset ?? "null") === asked.preset &&
    ends === (asked.expires === null ? null : Date.parse(asked.expires));
  const ofToken = asked.token === null || said.token === hexOf(sha256(utf8(asked.token)));
  if (!same || !ofToken) throw refused();
  return text;
}
