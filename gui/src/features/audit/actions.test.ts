import { expect, it } from "vitest";
import { t } from "@/i18n/words";
import { actionWord, shortName } from "./actions";

it("names actions, also those of a newer gateway", () => {
  expect(actionWord(t, "engine_share")).toBe("Engine shared");
  expect(actionWord(t, "moon_landed")).toBe("moon landed");
});

it("shortens ids, and nothing that people named", () => {
  expect(shortName("d61a55e9-f013-46e2-b069-9d1b2c3d4e5f")).toBe("d61a55e9…");
  expect(shortName("f15f1386d2a24fdeb71539e1f451564a")).toBe("f15f1386…");
  expect(shortName("engine-1")).toBe("engine-1");
});
