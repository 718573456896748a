/** Signed envelopes for an engine: the signature covers the payload's bytes exactly as they travel. */

import { sha256 } from "@noble/hashes/sha2.js";
import { hexOf, randomHex, utf8 } from "@/crypto/bytes";
import type { Signer } from "@/wallet/signer";

/** Return the envelope as text, with the payload inside in the very spelling that was hashed. */
export async function seal(
  signer: Signer,
  engineId: string,
  payload: object,
  nowMs: number,
): Promise<string> {
  const body = JSON.stringify(payload);
  const digest = hexOf(sha256(utf8(body)));
  const message = `flowork_engine|${signer.address}|${engineId}|${nowMs}|${randomHex(16)}|${digest}`;
  const auth = { address: signer.address, message, signature: await signer.sign(message) };
  return `{"payload":${body},"auth":${JSON.stringify(auth)}}`;
}
