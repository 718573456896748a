// @vitest-environment jsdom
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LANGUAGES, t, useWords, type Word } from "./words";
import de from "./words/de.json";
import en from "./words/en.json";
import es from "./words/es.json";
import id from "./words/id.json";

const SOURCES = join(import.meta.dirname, "..");
const placesOf = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();

function textOfSources(): string {
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" });
  const ours = files.filter((file) => /\.tsx?$/.test(file) && !/\.test\.|\.gen\./.test(file));
  return ours.map((file) => readFileSync(join(SOURCES, file), "utf8")).join("\n");
}

describe("the words", () => {
  it("are there for every language that can be chosen", () => {
    expect(Object.keys(LANGUAGES).sort()).toEqual(["de", "en", "es", "id"]);
  });

  it.each(Object.entries({ id, de, es }))("of %s are complete, with the same places to fill", (_, words) => {
    expect(Object.keys(words)).toEqual(Object.keys(en));
    for (const [word, text] of Object.entries(words)) {
      expect(text.trim(), word).not.toBe("");
      expect(placesOf(text), word).toEqual(placesOf(en[word as Word]));
    }
  });

  it("are all used", () => {
    const text = textOfSources();
    // some words are put together, such as `runs.${status}`
    const starts = [...text.matchAll(/`([a-z]+\.[\w.]*)\$\{/g)].map(([, start]) => start ?? "");
    const isMade = (word: string) => starts.some((start) => word.startsWith(start));
    const unused = Object.keys(en).filter((word) => !text.includes(`"${word}"`) && !isMade(word));
    expect(unused).toEqual([]);
  });

  it("are said in the chosen language", async () => {
    await useWords.getState().choose("de");
    expect(t("identity.step", { step: 1, of: 3 })).toBe("Schritt 1 von 3");
    expect(document.documentElement.lang).toBe("de");
    await useWords.getState().choose("en");
    expect(t("variables.about")).toContain("{{vars.NAME}}");
  });
});
