import { type FormEvent, useState } from "react";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/copy";
import { TextField } from "@/ui/field";
import { keyOfPhrase, newPhrase } from "@/wallet/phrase";
import { BackButton } from "./back-button";
import { KeepKey } from "./keep-key";

type Step = "words" | "check" | "passphrase";

/** Two different places among twelve words, in order. */
function askedPlaces(): [number, number] {
  const [one = 0, other = 0] = crypto.getRandomValues(new Uint8Array(2));
  const first = one % 12;
  const second = (first + 1 + (other % 11)) % 12;
  return first < second ? [first, second] : [second, first];
}

/** Makes a key: shows its twelve words, asks two of them back, then keeps it under a passphrase. */
export function CreateKey({ replaces, onBack }: { replaces: boolean; onBack(): void }) {
  const t = useT();
  const [phrase] = useState(newPhrase);
  const [places] = useState(askedPlaces);
  const [step, setStep] = useState<Step>("words");
  const words = phrase.split(" ");
  return (
    <>
      <BackButton onBack={step === "words" ? onBack : () => setStep("words")} />
      <div className="stack">
        <p className="muted">
          {t("identity.step", { step: { words: 1, check: 2, passphrase: 3 }[step], of: 3 })}
        </p>
        <h1>{t(`identity.${step}Title`)}</h1>
      </div>
      {step === "words" && <WordList words={words} onNext={() => setStep("check")} />}
      {step === "check" && <WordCheck words={words} places={places} onNext={() => setStep("passphrase")} />}
      {step === "passphrase" && <KeepKey privateKey={keyOfPhrase(phrase)} replaces={replaces} />}
    </>
  );
}

function WordList({ words, onNext }: { words: string[]; onNext(): void }) {
  const t = useT();
  return (
    <>
      <p>{t("identity.wordsText")}</p>
      <ol className="word-list" aria-label={t("identity.words")}>
        {words.map((word, place) => (
          // a word may come twice, its place never changes
          <li key={place}>
            <span className="muted" aria-hidden="true">
              {place + 1}
            </span>
            <span>{word}</span>
          </li>
        ))}
      </ol>
      <Notice tone="warn">{t("identity.wordsWarning")}</Notice>
      <div className="spread">
        <CopyButton text={words.join(" ")} label={t("identity.words")} />
        <Button kind="primary" onClick={onNext}>
          {t("identity.wordsWritten")}
        </Button>
      </div>
    </>
  );
}

interface CheckProps {
  words: string[];
  places: [number, number];
  onNext(): void;
}

function WordCheck({ words, places, onNext }: CheckProps) {
  const t = useT();
  const [given, setGiven] = useState<Record<number, string>>({});
  const [wrong, setWrong] = useState<number[]>([]);

  function submit(event: FormEvent) {
    event.preventDefault();
    const missed = places.filter((place) => given[place]?.trim().toLowerCase() !== words[place]);
    setWrong(missed);
    if (missed.length === 0) onNext();
  }

  return (
    <form className="stack" onSubmit={submit}>
      <p>{t("identity.checkText")}</p>
      {places.map((place, turn) => (
        <TextField
          key={place}
          label={t("identity.wordNumber", { number: place + 1 })}
          problem={wrong.includes(place) ? t("identity.wordWrong") : null}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus={turn === 0}
          required
          value={given[place] ?? ""}
          onChange={(event) => setGiven({ ...given, [place]: event.target.value })}
        />
      ))}
      <Button kind="primary" type="submit">
        {t("common.next")}
      </Button>
    </form>
  );
}
