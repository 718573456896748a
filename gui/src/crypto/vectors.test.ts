/** Keys, signatures and canonical texts, against values that other software has made. */

import { describe, expect, it } from "vitest";
import { keyOfInput, keyOfPhrase } from "@/wallet/phrase";
import { KeySigner } from "@/wallet/signer";
import presets from "../../../tests/shared/signing/vectors/presets.json";
import texts from "../../../tests/shared/signing/vectors/texts.json";
import wallets from "../../../tests/shared/signing/vectors/wallets.json";
import { addressOfKey, checksumAddress, isAddress, shortAddress } from "./address";
import { bytesOfHex, hexOf } from "./bytes";
import { canonicalSignature, signText } from "./personal-sign";
import { presetText } from "./preset";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const keyOf = new Map(wallets.map((wallet) => [wallet.address, bytesOfHex(wallet.private_key)]));

describe("keys", () => {
  it.each(wallets)("are known by their address: $address", ({ words, private_key, address }) => {
    expect(addressOfKey(bytesOfHex(private_key))).toBe(address);
    expect(checksumAddress(address.toLowerCase())).toBe(address);
    expect(new KeySigner(keyOfInput(private_key.slice(2))).exportKey()).toBe(private_key);
    if (words === null) return;
    expect(`0x${hexOf(keyOfPhrase(words))}`).toBe(private_key);
    expect(new KeySigner(keyOfInput(`  ${words.toUpperCase()}\n`)).address).toBe(address);
  });

  it("are refused where the words are none", () => {
    expect(() => keyOfPhrase("test test test")).toThrow(/twelve words/);
    expect(() => keyOfInput("0x1234")).toThrow(/twelve words/);
  });

  it("are shown short", () => {
    expect(shortAddress("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")).toBe("0xf39F…2266");
    expect(isAddress("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb9226")).toBe(false);
  });
});

describe("signatures", () => {
  const known = texts.filter(({ address }) => keyOf.has(address));

  it("are those of another library", () => {
    expect(known.length).toBeGreaterThan(10);
    for (const { address, text, signature } of known) {
      const key = keyOf.get(address) ?? new Uint8Array();
      expect(signText(key, text)).toBe(signature);
    }
  });

  it("of a wallet are brought into the one spelling", () => {
    const good = known[0]?.signature ?? "";
    const s = BigInt(`0x${good.slice(66, 130)}`);
    const v = Number.parseInt(good.slice(130), 16);
    const high = (ORDER - s).toString(16).padStart(64, "0");
    const turned = (v === 27 ? 28 : 27).toString(16);
    expect(canonicalSignature(good.slice(0, 66) + high + turned)).toBe(good);
    expect(canonicalSignature(good.slice(0, 130) + (v - 27).toString(16).padStart(2, "0"))).toBe(good);
    expect(() => canonicalSignature("0x1234")).toThrow(/another kind/);
  });
});

describe("canonical presets", () => {
  it.each(presets)("are written as everywhere: $address", ({ source, canonical, address, signature }) => {
    const { workflow_data } = JSON.parse(source) as { workflow_data: object };
    expect(presetText(workflow_data)).toBe(canonical);
    const key = keyOf.get(address);
    if (key) expect(signText(key, canonical)).toBe(signature);
  });
});
