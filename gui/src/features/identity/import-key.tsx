import { type FormEvent, useState } from "react";
import { addressOfKey } from "@/crypto/address";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { TextArea } from "@/ui/field";
import { keyOfInput } from "@/wallet/phrase";
import { BackButton } from "./back-button";
import { KeepKey } from "./keep-key";

/** Brings a key that exists already: twelve words, or its 64 digits. */
export function ImportKey({ replaces, onBack }: { replaces: boolean; onBack(): void }) {
  const t = useT();
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const [found, setFound] = useState<Uint8Array | null>(null);

  function submit(event: FormEvent) {
    event.preventDefault();
    try {
      const key = keyOfInput(text);
      addressOfKey(key);
      setFound(key);
      setText("");
    } catch {
      setProblem(t("identity.importWrong"));
    }
  }

  if (found) {
    return (
      <>
        <BackButton onBack={() => setFound(null)} />
        <h1>{t("identity.passphraseTitle")}</h1>
        <dl className="facts">
          <dt>{t("identity.address")}</dt>
          <dd className="mono">{addressOfKey(found)}</dd>
        </dl>
        <KeepKey privateKey={found} replaces={replaces} />
      </>
    );
  }
  return (
    <>
      <BackButton onBack={onBack} />
      <h1>{t("identity.import")}</h1>
      <form className="stack" onSubmit={submit}>
        <TextArea
          label={t("identity.importLabel")}
          hint={t("identity.importHint")}
          problem={problem}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          required
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setProblem("");
          }}
        />
        <Button kind="primary" type="submit">
          {t("common.next")}
        </Button>
      </form>
    </>
  );
}
