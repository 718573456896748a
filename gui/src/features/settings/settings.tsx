import { NeedEngine } from "@/app/need-engine";
import { LanguageField, ThemeField } from "@/features/identity/preferences";
import { useT } from "@/i18n/words";
import { EnginePreferences } from "./engine-preferences";
import { IdentitySettings } from "./identity-settings";
import "./settings.css";

/** How the page looks, how the engine behaves, and the key. */
export default function Settings() {
  const t = useT();
  return (
    <div className="page settings">
      <h1>{t("settings.title")}</h1>
      <section className="card card-pad stack" aria-labelledby="settings-page">
        <div>
          <h2 id="settings-page">{t("settings.page")}</h2>
          <p className="muted">{t("settings.pageText")}</p>
        </div>
        <div className="settings-pair">
          <LanguageField />
          <ThemeField />
        </div>
      </section>
      <section className="card card-pad stack" aria-labelledby="settings-engine">
        <div>
          <h2 id="settings-engine">{t("settings.engine")}</h2>
          <p className="muted">{t("settings.engineText")}</p>
        </div>
        <NeedEngine>
          <EnginePreferences />
        </NeedEngine>
      </section>
      <section className="card card-pad stack" aria-labelledby="settings-identity">
        <div>
          <h2 id="settings-identity">{t("settings.identity")}</h2>
          <p className="muted">{t("settings.identityText")}</p>
        </div>
        <IdentitySettings />
      </section>
    </div>
  );
}
