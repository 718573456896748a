import { type FormEvent, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { TextField } from "@/ui/field";
import { decryptKey, forget, type StoredKey, WrongPassphraseError } from "@/wallet/keystore";
import { KeySigner } from "@/wallet/signer";

interface Props {
  stored: StoredKey;
  onForgotten(): void;
}

/** Unlocks the key of this browser with its passphrase, or removes it after asking. */
export function Unlock({ stored, onForgotten }: Props) {
  const t = useT();
  const signIn = useSession((state) => state.signIn);
  const [passphrase, setPassphrase] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const [asking, setAsking] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await signIn(new KeySigner(await decryptKey(stored, passphrase)));
    } catch (error) {
      setProblem(error instanceof WrongPassphraseError ? t("identity.wrongPassphrase") : sentenceOf(error));
      setBusy(false);
    }
  }

  return (
    <form className="stack" onSubmit={submit}>
      <p className="mono welcome-address">{stored.address}</p>
      {/* password managers keep a passphrase under a name */}
      <input hidden readOnly autoComplete="username" value={stored.address} />
      <TextField
        label={t("identity.passphrase")}
        type="password"
        autoComplete="current-password"
        required
        autoFocus
        value={passphrase}
        onChange={(event) => setPassphrase(event.target.value)}
      />
      {problem && <Notice tone="bad">{problem}</Notice>}
      <div className="spread">
        <Button kind="quiet" onClick={() => setAsking(true)}>
          {t("identity.forget")}
        </Button>
        <Button kind="primary" type="submit" busy={busy}>
          {t("identity.unlock")}
        </Button>
      </div>
      <Confirm
        open={asking}
        title={t("identity.forgetTitle")}
        action={t("identity.forget")}
        onClose={() => setAsking(false)}
        onConfirm={() => {
          forget();
          onForgotten();
        }}
      >
        <p>{t("identity.forgetText")}</p>
      </Confirm>
    </form>
  );
}
