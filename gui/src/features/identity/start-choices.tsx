import { ChevronRight, Download, Plus, Wallet } from "lucide-react";
import { useT, type Word } from "@/i18n/words";
import type { View } from "./welcome";

const CHOICES: { view: View; icon: typeof Plus; title: Word; text: Word }[] = [
  { view: "create", icon: Plus, title: "identity.create", text: "identity.createText" },
  { view: "import", icon: Download, title: "identity.import", text: "identity.importText" },
  { view: "wallet", icon: Wallet, title: "identity.wallet", text: "identity.walletText" },
];

/** The ways to sign in other than with the key of this browser. */
export function StartChoices({ hasKey, onChoose }: { hasKey: boolean; onChoose(view: View): void }) {
  const t = useT();
  return (
    <section className="stack" aria-label={t("identity.ways")}>
      {hasKey && <h2 className="welcome-or">{t("identity.otherWays")}</h2>}
      <ul className="plain-list choices">
        {CHOICES.map(({ view, icon: Icon, title, text }) => (
          <li key={view}>
            <button type="button" className="choice" onClick={() => onChoose(view)}>
              <Icon size={20} aria-hidden="true" />
              <span className="grow">
                <strong>{t(title)}</strong>
                <span className="muted">{t(text)}</span>
              </span>
              <ChevronRight size={18} aria-hidden="true" />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
