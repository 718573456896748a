import { Wallet } from "lucide-react";
import { useEffect, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { DelegatedSigner } from "@/wallet/delegation";
import { connectWallet, type FoundWallet, findWallets } from "@/wallet/providers";
import { BackButton } from "./back-button";

/** Signs in with a wallet of the browser; those that are installed make themselves known. */
export function WalletList({ onBack }: { onBack(): void }) {
  const t = useT();
  const signIn = useSession((state) => state.signIn);
  const [wallets, setWallets] = useState<FoundWallet[]>([]);
  const [busy, setBusy] = useState("");
  const [problem, setProblem] = useState("");

  useEffect(() => {
    setWallets([]);
    return findWallets((wallet) => setWallets((before) => [...before, wallet]));
  }, []);

  async function connect({ name, provider }: FoundWallet) {
    setBusy(name);
    setProblem("");
    try {
      await signIn(await DelegatedSigner.open(await connectWallet(provider)));
    } catch (error) {
      setProblem(t("identity.walletFailed", { problem: sentenceOf(error) }));
      setBusy("");
    }
  }

  return (
    <>
      <BackButton onBack={onBack} />
      <h1>{t("identity.wallet")}</h1>
      <Notice>{t("identity.walletAsks")}</Notice>
      {wallets.length === 0 && <p>{t("identity.noWallet")}</p>}
      <ul className="plain-list choices">
        {wallets.map((wallet) => (
          <li key={wallet.name}>
            <button
              type="button"
              className="choice"
              disabled={busy !== ""}
              onClick={() => void connect(wallet)}
            >
              {wallet.icon ? (
                <img src={wallet.icon} alt="" width="24" height="24" />
              ) : (
                <Wallet size={24} aria-hidden="true" />
              )}
              <strong className="grow">{wallet.name}</strong>
              {busy === wallet.name && <output className="spinner" aria-label={t("identity.walletWaits")} />}
            </button>
          </li>
        ))}
      </ul>
      {problem && <Notice tone="bad">{problem}</Notice>}
    </>
  );
}
