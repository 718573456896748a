import { expect, it } from "vitest";
import { t } from "@/i18n/words";
import { actionWord } from "./actions";

it("names actions, also those of a newer gateway", () => {
  expect(actionWord(t, "engine_share")).toBe("Engine shared");
  expect(actionWord(t, "moon_landed")).toBe("moon landed");
});
