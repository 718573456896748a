/** Light, dark, or as the system has it. */

import { create } from "zustand";

export type Theme = "light" | "dark" | "system";
const PLACE = "flowork.theme";
const system = window.matchMedia?.("(prefers-color-scheme: dark)");

interface ThemeState {
  theme: Theme;
  choose(theme: Theme): void;
}

const stored = localStorage.getItem(PLACE);
const first: Theme = stored === "light" || stored === "dark" ? stored : "system";

export const useTheme = create<ThemeState>((set) => ({
  theme: first,
  choose(theme) {
    localStorage.setItem(PLACE, theme);
    set({ theme });
    applyTheme(theme);
  },
}));

export function applyTheme(theme: Theme = useTheme.getState().theme): void {
  const dark = theme === "dark" || (theme === "system" && Boolean(system?.matches));
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

system?.addEventListener("change", () => applyTheme());
