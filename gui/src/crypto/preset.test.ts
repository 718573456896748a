import { describe, expect, it } from "vitest";
import { KeySigner } from "@/wallet/signer";
import { bytesOfHex } from "./bytes";
import { canonicalJson, presetText, signPreset } from "./preset";
import vectors from "./preset-vectors.json";

describe("preset signatures", () => {
  const signer = new KeySigner(bytesOfHex(vectors.key));

  it.each(vectors.cases)("agree with the engine's, case %#", async ({ workflow, text, signature }) => {
    expect(signer.address).toBe(vectors.address);
    expect(presetText(workflow)).toBe(text);
    expect(await signPreset(signer, workflow)).toBe(signature);
  });

  it("do not depend on the order of members, and leave out what is undefined", () => {
    expect(canonicalJson({ b: 1, a: { d: undefined, c: 2 } })).toBe('{"a":{"c":2},"b":1}');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, () => 1, 10n])(
    "refuse what JSON cannot hold: %s",
    (value) => {
      expect(() => canonicalJson({ value })).toThrow();
    },
  );

  it("refuse what is nested too deep", () => {
    let value: unknown = 1;
    for (let level = 0; level < 101; level++) value = [value];
    expect(() => canonicalJson(value)).toThrow(/deeper/);
  });
});
