/** The page's words in the chosen language; English stands in for what a language does not have. */

import { create } from "zustand";
import en from "./words/en.json";

export type Word = keyof typeof en;
export const LANGUAGES = { en: "English", id: "Bahasa Indonesia", de: "Deutsch", es: "Español" } as const;
export type Language = keyof typeof LANGUAGES;
type Words = Partial<Record<Word, string>>;

const PLACE = "flowork.language";
const LOADERS: Record<Exclude<Language, "en">, () => Promise<{ default: Words }>> = {
  id: () => import("./words/id.json"),
  de: () => import("./words/de.json"),
  es: () => import("./words/es.json"),
};

interface WordState {
  language: Language;
  words: Words;
  choose(language: Language): Promise<void>;
}

export const useWords = create<WordState>((set) => ({
  language: "en",
  words: en,
  async choose(language) {
    const words = language === "en" ? en : (await LOADERS[language]()).default;
    localStorage.setItem(PLACE, language);
    document.documentElement.lang = language;
    set({ language, words });
  },
}));

/** The language of an earlier visit, else the browser's, else English. */
export function firstLanguage(): Language {
  const wanted = [localStorage.getItem(PLACE), ...navigator.languages.map((tag) => tag.split("-")[0] ?? "")];
  return wanted.find((code): code is Language => code !== null && code in LANGUAGES) ?? "en";
}

export type Translate = (word: Word, values?: Record<string, string | number>) => string;

function say(words: Words, word: Word, values: Record<string, string | number> = {}): string {
  const text = words[word] ?? en[word];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Return the function that says a word in the chosen language. */
export function useT(): Translate {
  const words = useWords((state) => state.words);
  return (word, values) => say(words, word, values);
}

/** Say a word outside of components. */
export const t: Translate = (word, values) => say(useWords.getState().words, word, values);
