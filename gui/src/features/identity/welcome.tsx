import { KeyRound } from "lucide-react";
import { useState } from "react";
import { useT } from "@/i18n/words";
import { readStored } from "@/wallet/keystore";
import { ClaimNotice } from "./claim-notice";
import { CreateKey } from "./create-key";
import { ImportKey } from "./import-key";
import { LanguageField, ThemeField } from "./preferences";
import { StartChoices } from "./start-choices";
import { Unlock } from "./unlock";
import { WalletList } from "./wallet-list";
import "./identity.css";

export type View = "start" | "create" | "import" | "wallet";

/** The first screen: make a key, bring one, unlock the one of this browser, or use a browser wallet. */
export function Welcome() {
  const t = useT();
  const [stored, setStored] = useState(readStored);
  const [view, setView] = useState<View>("start");
  const back = () => setView("start");
  return (
    <div className="welcome">
      <header className="welcome-head">
        <img src="/icon.svg" alt="" width="40" height="40" />
        <div>
          <strong>Flowork</strong>
          <p className="muted">{t("identity.slogan")}</p>
        </div>
      </header>
      <main className="card welcome-card">
        <ClaimNotice />
        {view === "start" && (
          <>
            <div className="stack welcome-title">
              <KeyRound size={28} aria-hidden="true" />
              <h1>{t(stored ? "identity.welcomeBack" : "identity.title")}</h1>
              <p className="muted">{t("identity.intro")}</p>
            </div>
            {stored && <Unlock stored={stored} onForgotten={() => setStored(null)} />}
            <StartChoices hasKey={stored !== null} onChoose={setView} />
          </>
        )}
        {view === "create" && <CreateKey replaces={stored !== null} onBack={back} />}
        {view === "import" && <ImportKey replaces={stored !== null} onBack={back} />}
        {view === "wallet" && <WalletList onBack={back} />}
      </main>
      <footer className="welcome-foot">
        <LanguageField />
        <ThemeField />
      </footer>
    </div>
  );
}
