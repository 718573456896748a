import { type FormEvent, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/copy";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { decryptKey, type StoredKey, WrongPassphraseError } from "@/wallet/keystore";
import { KeySigner } from "@/wallet/signer";

interface Props {
  stored: StoredKey;
  onClose(): void;
}

/** Gives the private key out, after the passphrase; it is not on the screen until it is asked for. */
export function ExportDialog({ stored, onClose }: Props) {
  const t = useT();
  const [passphrase, setPassphrase] = useState("");
  const [key, setKey] = useState("");
  const [shown, setShown] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      setKey(new KeySigner(await decryptKey(stored, passphrase)).exportKey());
    } catch (error) {
      setProblem(error instanceof WrongPassphraseError ? t("identity.wrongPassphrase") : sentenceOf(error));
    } finally {
      setPassphrase("");
      setBusy(false);
    }
  }

  return (
    <Dialog open onClose={onClose} title={t("identity.export")} about={t("identity.exportText")}>
      {key ? (
        <div className="stack">
          <Notice tone="warn">{t("identity.exportWarning")}</Notice>
          <p className="mono secret-key">{shown ? key : "•".repeat(24)}</p>
          <div className="row">
            <Button onClick={() => setShown(!shown)}>{t(shown ? "common.hide" : "common.show")}</Button>
            <CopyButton text={key} label={t("identity.privateKey")} />
          </div>
          <div className="dialog-actions">
            <Button kind="primary" onClick={onClose}>
              {t("common.done")}
            </Button>
          </div>
        </div>
      ) : (
        <form className="stack" onSubmit={submit}>
          <TextField
            label={t("identity.passphrase")}
            type="password"
            autoComplete="current-password"
            required
            problem={problem}
            value={passphrase}
            onChange={(event) => setPassphrase(event.target.value)}
          />
          <div className="dialog-actions">
            <Button onClick={onClose}>{t("common.cancel")}</Button>
            <Button kind="primary" type="submit" busy={busy}>
              {t("identity.exportGo")}
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
