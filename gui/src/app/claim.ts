/** Claim links: their code stays in this page, the engine gets only a proof of it. */

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { RestClient } from "@/api/rest";
import type { ClaimedEngine } from "@/contract/contract.gen";
import { hexOf, utf8 } from "@/crypto/bytes";

const CODE = /^[A-Za-z0-9_-]{8,128}$/;
const ENGINE_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

export interface Claim {
  code: string;
  engineId: string;
}

/** Read the fragment of the page's address: a claim, "damaged" where it is one that no platform made, or null. */
export function readClaim(fragment: string): Claim | "damaged" | null {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ""));
  const code = parameters.get("claim");
  const engineId = parameters.get("engine");
  if (code === null && engineId === null) return null;
  return CODE.test(code ?? "") && ENGINE_ID.test(engineId ?? "")
    ? { code: code ?? "", engineId: engineId ?? "" }
    : "damaged";
}

export const claimProof = (claim: Claim, address: string): string =>
  hexOf(hmac(sha256, utf8(claim.code), utf8(`flowork_claim|${address.toLowerCase()}|${claim.engineId}`)));

export const claimEngine = (rest: RestClient, claim: Claim, address: string): Promise<ClaimedEngine> =>
  rest.call("claim_engine", { body: { engine_id: claim.engineId, proof: claimProof(claim, address) } });
