/** Browser wallets: found by EIP-6963, or at window.ethereum where a wallet knows only the older way. */

import { type Provider, ProviderSigner } from "./signer";

export interface FoundWallet {
  name: string;
  /** A data URL of the wallet's picture, if it gave one. */
  icon: string;
  provider: Provider;
}

interface Announcement extends Event {
  detail?: { info?: { name?: string; icon?: string; uuid?: string }; provider?: Provider };
}

/** Report each wallet as it makes itself known; returns how to stop. */
export function findWallets(onFound: (wallet: FoundWallet) => void): () => void {
  const known = new Set<string>();
  const hear = (event: Event) => {
    const { info, provider } = (event as Announcement).detail ?? {};
    if (!provider || !info?.name || known.has(info.uuid ?? info.name)) return;
    known.add(info.uuid ?? info.name);
    const icon = info.icon?.startsWith("data:image/") ? info.icon : "";
    onFound({ name: info.name, icon, provider });
  };
  window.addEventListener("eip6963:announceProvider", hear);
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  const old = (window as { ethereum?: Provider }).ethereum;
  if (old && known.size === 0) onFound({ name: "Browser wallet", icon: "", provider: old });
  return () => window.removeEventListener("eip6963:announceProvider", hear);
}

/** Ask a wallet for its account; rejects when the person refuses. */
export async function connectWallet(provider: Provider): Promise<ProviderSigner> {
  const accounts = await provider.request({ method: "eth_requestAccounts" });
  const address = Array.isArray(accounts) ? String(accounts[0] ?? "") : "";
  if (!address) throw new Error("The wallet showed no account.");
  return new ProviderSigner(provider, address);
}
