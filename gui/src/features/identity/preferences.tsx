import { Languages, SunMoon } from "lucide-react";
import { useTheme } from "@/app/theme";
import { LANGUAGES, type Language, useT, useWords } from "@/i18n/words";
import { SelectField } from "@/ui/field";

export function LanguageField() {
  const t = useT();
  const { language, choose } = useWords();
  return (
    <SelectField
      label={
        <span className="row">
          <Languages size={16} aria-hidden="true" />
          {t("settings.language")}
        </span>
      }
      value={language}
      options={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
      onChange={(value) => void choose(value as Language)}
    />
  );
}

export function ThemeField() {
  const t = useT();
  const { theme, choose } = useTheme();
  return (
    <SelectField
      label={
        <span className="row">
          <SunMoon size={16} aria-hidden="true" />
          {t("settings.theme")}
        </span>
      }
      value={theme}
      options={[
        { value: "system", label: t("settings.themeSystem") },
        { value: "light", label: t("settings.themeLight") },
        { value: "dark", label: t("settings.themeDark") },
      ]}
      onChange={(value) => choose(value as typeof theme)}
    />
  );
}
