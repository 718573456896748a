/** Signed envelopes for an engine: the signature covers the payload's bytes exactly as they travel. */

import { sha256 } from "@noble/hashes/sha2.js";
import { hexOf, randomHex, utf8 } from "@/crypto/bytes";
import { WALLET_COMMANDS } from "@/contract/contract.gen";
import type { Signer } from "@/wallet/signer";

/** Return the envelope as text, with the payload inside in the very spelling that was hashed. */
export async function seal(
  signer: Signer,
  engineId: string,
  payload: { type: string },
  nowMs: number,
): Promise<string> {
  const body = JSON.stringify(payload);
  const digest = hexOf(sha256(utf8(body)));
  const message = `flowork_engine|${signer.address}|${engineId}|${nowMs}|${randomHex(16)}|${digest}`;
  const auth = { address: signer.address, message, ...(await proofOf(signer, message, payload.type)) };
  return `{"payload":${body},"auth":${JSON.stringify(auth)}}`;
}

/** What lasts longer than a session is signed by the wallet itself. */
async function proofOf(signer: Signer, message: string, command: string): Promise<object> {
  if (WALLET_COMMANDS.has(command)) return { signature: await signer.attest(message) };
  const { delegation } = signer;
  return { signature: await signer.sign(message), ...(delegation ? { delegation } : {}) };
}
