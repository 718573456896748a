/** Share links of a saved workflow; each is signed by the engine's owner before it opens anything. */

import type { RestClient } from "@/api/rest";
import type { ShareLevel, ShareLink } from "@/contract/contract.gen";
import type { Signer } from "@/wallet/signer";
import { checkedLink } from "./owner-word";

export const LEVELS: ShareLevel[] = ["view", "view-run", "view-edit-run"];

interface Owner {
  rest: RestClient;
  signer: Signer;
}

async function sign({ rest, signer }: Owner, preset: string, link: ShareLink): Promise<void> {
  const text = checkedLink(link.grant_text, {
    engine: link.engine_id,
    preset,
    level: link.permission_level,
    token: link.share_token,
    expires: link.expires_at,
  });
  const signature = await signer.attest(text);
  await rest.call("change_share_link", {
    path: { share_id: link.share_id },
    body: { grant: { text, signature } },
  });
}

export const listLinks = ({ rest }: Owner, preset: string, engineId: string): Promise<ShareLink[]> =>
  rest.call("list_share_links", { path: { preset }, engineId });

/** Make a link and sign it. */
export async function createLink(
  owner: Owner,
  preset: string,
  engineId: string,
  wanted: { name: string; level: ShareLevel; days: number },
): Promise<void> {
  const ends = wanted.days ? new Date(Date.now() + wanted.days * 86_400_000).toISOString() : null;
  const link = await owner.rest.call("create_share_link", {
    path: { preset },
    engineId,
    body: { link_name: wanted.name, permission_level: wanted.level, expires_at: ends },
  });
  await sign(owner, preset, link);
}

/** Change what a link allows; the new word is signed, the old one is void. */
export async function changeLevel(
  owner: Owner,
  preset: string,
  link: ShareLink,
  level: ShareLevel,
): Promise<void> {
  const changed = await owner.rest.call("change_share_link", {
    path: { share_id: link.share_id },
    body: { permission_level: level },
  });
  await sign(owner, preset, { ...link, permission_level: level, grant_text: changed.grant_text });
}

/** Sign a link that was made but not signed. */
export const signLink = (owner: Owner, preset: string, link: ShareLink): Promise<void> =>
  sign(owner, preset, link);

export const endLink = async ({ rest }: Owner, link: ShareLink): Promise<void> => {
  await rest.call("delete_share_link", { path: { share_id: link.share_id } });
};
