/** Who may use an engine: named by its owner, and signed so that the engine believes it. */

import type { RestClient } from "@/api/rest";
import { isAddress } from "@/crypto/address";
import type { Signer } from "@/wallet/signer";
import { checkedGrant, type GuestRole } from "./owner-word";

export const ROLES: GuestRole[] = ["reader", "runner", "admin"];

/** Return the address of whom people name by address or user name. */
export async function addressOf(rest: RestClient, named: string): Promise<string> {
  const plain = named.trim();
  if (isAddress(plain)) return plain;
  return (await rest.call("public_profile", { path: { identifier: plain } })).address;
}

/** Let somebody use an engine as this; the owner's wallet signs the grant. */
export async function shareEngine(
  rest: RestClient,
  signer: Signer,
  asked: { engine: string; guest: string; role: GuestRole },
): Promise<void> {
  const path = { engine_id: asked.engine };
  const body = { share_with_identifier: asked.guest, role: asked.role };
  const added = await rest.call("share_engine", { path, body });
  if (!added.needs_grant) return;
  const text = checkedGrant(added.grant_text, asked);
  const signature = await signer.attest(text);
  await rest.call("share_engine", { path, body: { ...body, grant: { text, signature } } });
}
