// @vitest-environment jsdom
import { afterEach, expect, it } from "vitest";
import { useWords } from "@/i18n/words";
import { FloworkError, sentenceOf } from "./errors";

afterEach(() => useWords.getState().choose("en"));

it("an error says what happened and what to do, in the chosen language", async () => {
  const refused = new FloworkError("FORBIDDEN", "save_preset needs the role admin; yours is reader.");
  expect(sentenceOf(refused)).toBe(
    "save_preset needs the role admin; yours is reader. Ask the owner to let you do this.",
  );
  await useWords.getState().choose("de");
  expect(sentenceOf(refused)).toContain("Bitten Sie die Person");
});

it("an error that says so itself, or that nobody can do anything about, is left as it is", () => {
  const late = new FloworkError("DEADLINE_EXCEEDED", "The gateway does not answer. Check the connection.");
  expect(sentenceOf(late)).toBe(late.message);
  expect(sentenceOf(new FloworkError("CONFLICT", "There is one of this name."))).toBe(
    "There is one of this name.",
  );
  expect(sentenceOf(new Error("The wallet said no."))).toBe("The wallet said no.");
  expect(sentenceOf(undefined)).toBe("Something went wrong, and nothing says what. Try it again.");
});
