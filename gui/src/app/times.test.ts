import { describe, expect, it } from "vitest";
import { agoOf, durationOf } from "./times";

describe("times", () => {
  it.each([
    [420, "0.42 s"],
    [3210, "3.2 s"],
    [59_400, "59 s"],
    [200_000, "3 min 20 s"],
    [7_500_000, "2 h 5 min"],
    [-5, "0.00 s"],
  ])("%d ms last %s", (ms, text) => expect(durationOf(ms)).toBe(text));

  it("are told from now, in the chosen language", () => {
    const now = 1_800_000_000_000;
    expect(agoOf(now - 120_000, now, "en")).toBe("2 min. ago");
    expect(agoOf(now - 86_400_000, now, "de")).toBe("gestern");
  });
});
