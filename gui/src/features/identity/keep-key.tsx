import { type FormEvent, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { encryptKey, store } from "@/wallet/keystore";
import { KeySigner } from "@/wallet/signer";

export const SHORTEST_PASSPHRASE = 8;

interface Props {
  privateKey: Uint8Array;
  /** Another key of this browser is put away by this one. */
  replaces: boolean;
}

/** Asks for a passphrase twice, keeps the key under it in this browser, and signs in. */
export function KeepKey({ privateKey, replaces }: Props) {
  const t = useT();
  const signIn = useSession((state) => state.signIn);
  const [passphrase, setPassphrase] = useState("");
  const [again, setAgain] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const differs = again !== "" && again !== passphrase;

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (again !== passphrase) return;
    setBusy(true);
    setProblem("");
    try {
      const signer = new KeySigner(privateKey);
      store(await encryptKey(privateKey, signer.address, passphrase));
      await signIn(signer);
    } catch (error) {
      setProblem(sentenceOf(error));
      setBusy(false);
    }
  }

  return (
    <form className="stack" onSubmit={submit}>
      {replaces && <Notice tone="warn">{t("identity.replaces")}</Notice>}
      <TextField
        label={t("identity.passphrase")}
        hint={t("identity.passphraseHint", { count: SHORTEST_PASSPHRASE })}
        type="password"
        autoComplete="new-password"
        required
        minLength={SHORTEST_PASSPHRASE}
        autoFocus
        value={passphrase}
        onChange={(event) => setPassphrase(event.target.value)}
      />
      <TextField
        label={t("identity.passphraseAgain")}
        problem={differs ? t("identity.passphraseDiffers") : null}
        type="password"
        autoComplete="new-password"
        required
        value={again}
        onChange={(event) => setAgain(event.target.value)}
      />
      {problem && <Notice tone="bad">{problem}</Notice>}
      <Button kind="primary" type="submit" busy={busy} disabled={differs}>
        {t("identity.keep")}
      </Button>
    </form>
  );
}
