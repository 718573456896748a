// @vitest-environment jsdom
import { beforeEach, describe, expect, it } from "vitest";
import { addressOfKey } from "@/crypto/address";
import { hexOf } from "@/crypto/bytes";
import { decryptKey, encryptKey, forget, readStored, store, WrongPassphraseError } from "./keystore";

const KEY = Uint8Array.from({ length: 32 }, (_, place) => place + 1);

describe("the keystore", () => {
  beforeEach(() => localStorage.clear());

  it("gives the key back for its passphrase only, however that is composed", async () => {
    const stored = await encryptKey(KEY, addressOfKey(KEY), "Bär und Bandung");
    expect(hexOf(await decryptKey(stored, "Ba\u0308r und Bandung"))).toBe(hexOf(KEY));
    await expect(decryptKey(stored, "Bär und Jakarta")).rejects.toThrow(WrongPassphraseError);
  }, 60_000);

  it("keeps nothing in plain, and knows what is not a key", async () => {
    expect(readStored()).toBeNull();
    store(await encryptKey(KEY, addressOfKey(KEY), "a passphrase"));
    expect(JSON.stringify(localStorage)).not.toContain(hexOf(KEY));
    expect(readStored()?.address).toBe(addressOfKey(KEY));
    forget();
    expect(readStored()).toBeNull();
    for (const broken of ["{", "7", '{"version":2}', '{"version":1,"kdf":{"name":"md5"}}']) {
      localStorage.setItem("flowork.keystore", broken);
      expect(readStored()).toBeNull();
    }
  }, 60_000);

  it("refuses a key under another address", async () => {
    const stored = await encryptKey(KEY, addressOfKey(KEY), "a passphrase");
    const moved = { ...stored, address: `0x${"1".repeat(40)}` };
    await expect(decryptKey(moved, "a passphrase")).rejects.toThrow(WrongPassphraseError);
  }, 60_000);
});
