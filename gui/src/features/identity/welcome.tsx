import { type FormEvent, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { decryptKey, encryptKey, readStored, store } from "@/wallet/keystore";
import { keyOfPhrase, newPhrase } from "@/wallet/phrase";
import { KeySigner } from "@/wallet/signer";

/** The first screen: unlock the key of this browser, or make one. */
export function Welcome() {
  const t = useT();
  const signIn = useSession((state) => state.signIn);
  const [stored] = useState(readStored);
  const [passphrase, setPassphrase] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      const key = stored ? await decryptKey(stored, passphrase) : keyOfPhrase(newPhrase());
      const signer = new KeySigner(key);
      if (!stored) store(await encryptKey(key, signer.address, passphrase));
      await signIn(signer);
    } catch (error) {
      setProblem(sentenceOf(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <main className="page">
      <h1>{t("identity.title")}</h1>
      <p>{t("identity.intro")}</p>
      <form className="card stack" onSubmit={submit}>
        <TextField
          label={t("identity.passphrase")}
          hint={stored ? undefined : t("identity.passphraseHint")}
          type="password"
          autoComplete={stored ? "current-password" : "new-password"}
          required
          minLength={8}
          value={passphrase}
          onChange={(event) => setPassphrase(event.target.value)}
        />
        {problem && <Notice tone="bad">{problem}</Notice>}
        <Button kind="primary" type="submit" busy={busy}>
          {t(stored ? "identity.unlock" : "identity.create")}
        </Button>
      </form>
    </main>
  );
}
