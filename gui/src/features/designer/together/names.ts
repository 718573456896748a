/** What people are called: the name they gave themselves on the gateway, else their address, shortened. */

import { useEffect, useState } from "react";
import { useSession } from "@/app/session";
import { sameAddress, shortAddress } from "@/crypto/address";
import { t } from "@/i18n/words";

const MOST = 200;
const asked = new Map<string, Promise<string>>();

/** Look a name up; each address once. */
export function nameOf(address: string): Promise<string> {
  const { rest, signer } = useSession.getState();
  if (sameAddress(address, signer?.address ?? "")) return Promise.resolve(t("together.you"));
  const key = address.toLowerCase();
  const known = asked.get(key);
  if (known) return known;
  if (asked.size >= MOST) asked.clear();
  const plain = shortAddress(address);
  const found = rest.call("public_profile", { path: { identifier: address } }).then(
    (profile) => profile.name || plain,
    () => plain,
  );
  asked.set(key, found);
  return found;
}

/** What to call somebody; the address until the name is known. */
export function useName(person: { address: string | null; visitor: boolean }): string {
  const { address, visitor } = person;
  const [name, setName] = useState<string | null>(null);
  useEffect(() => {
    let left = false;
    setName(null);
    if (address) void nameOf(address).then((found) => !left && setName(found));
    return () => {
      left = true;
    };
  }, [address]);
  if (!address) return t(visitor ? "together.visitor" : "together.somebody");
  return name ?? shortAddress(address);
}
