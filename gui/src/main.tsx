import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "@/app/app";
import { applyTheme } from "@/app/theme";
import { firstLanguage, useWords } from "@/i18n/words";
import "@/ui/tokens.css";
import "@/ui/base.css";
import "@/ui/controls.css";
import "@/ui/pieces.css";

applyTheme();
void useWords.getState().choose(firstLanguage());

const place = document.getElementById("root");
if (place) {
  createRoot(place).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
