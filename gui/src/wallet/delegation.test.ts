import { afterEach, describe, expect, it, vi } from "vitest";
import { RestClient } from "@/api/rest";
import { bytesOfHex } from "@/crypto/bytes";
import { seal } from "@/engine/envelope";
import { DelegatedSigner, delegationHeaders, delegationText } from "./delegation";
import { KeySigner, type Signer } from "./signer";

const NOW = 1_766_000_000_123;
const ORIGIN = "http://127.0.0.1:8000";
const WALLET = new KeySigner(Uint8Array.from({ length: 32 }, (_, place) => place + 1));

/** What the servers' own code writes and signs for the same delegation. */
const TEXT = `127.0.0.1:8000 wants you to sign in with your Ethereum account:
0x6370eF2f4Db3611D657b90667De398a2Cc2a370C

Let the session key listed below act for me on the listed engines, within the listed scopes.

URI: http://127.0.0.1:8000
Version: 1
Chain ID: 1
Nonce: 00112233445566778899aabbccddeeff
Issued At: 2025-12-17T19:33:20.123Z
Expiration Time: 2025-12-18T07:33:20.123Z
Resources:
- urn:flowork:session:0x44FA977a2bD3d8F3E51D4aF41a05dA4b55feFF39
- urn:flowork:engine:*
- urn:flowork:scope:admin
- urn:flowork:scope:read
- urn:flowork:scope:run`;
const SIGNATURE =
  "0xdfa05eb398fe95ee4a76c931e9e1a875250ef9c221a6c9aa47033f832be53c57" +
  "0e7cb3f80ce89439247c5386af5d1305c3c528bc831c58922d710c3b2c20942e1b";

function countingWallet() {
  const signed: string[] = [];
  const sign = (text: string) => {
    signed.push(text);
    return WALLET.sign(text);
  };
  const wallet: Signer = { address: WALLET.address, asks: true, sign, attest: sign };
  return { wallet, signed };
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a delegation", () => {
  it("is the text that servers write", async () => {
    const page = { origin: ORIGIN, nonce: "00112233445566778899aabbccddeeff", now: NOW };
    const text = delegationText(WALLET.address, "0x44FA977a2bD3d8F3E51D4aF41a05dA4b55feFF39", page);
    expect(text).toBe(TEXT);
    expect(await WALLET.sign(text)).toBe(SIGNATURE);
  });

  it("is signed once; then the session key signs, and the wallet only what lasts", async () => {
    const { wallet, signed } = countingWallet();
    const signer = await DelegatedSigner.open(wallet, ORIGIN);
    expect(signer.asks).toBe(false);
    const read = JSON.parse(await seal(signer, "e-1", { type: "list_runs" }, NOW)) as Sealed;
    expect(signed).toHaveLength(1);
    expect(read.auth.delegation).toEqual(signer.delegation);
    expect(read.auth.address).toBe(WALLET.address);
    const lasting = JSON.parse(await seal(signer, "e-1", { type: "update_variable" }, NOW)) as Sealed;
    expect(signed).toEqual([signer.delegation.message, lasting.auth.message]);
    expect(lasting.auth.delegation).toBeUndefined();
    expect(lasting.auth.signature).toBe(await WALLET.sign(lasting.auth.message));
  });

  it("goes with the requests for which it is enough", async () => {
    const { wallet, signed } = countingWallet();
    const signer = await DelegatedSigner.open(wallet, ORIGIN);
    const sent: Record<string, string>[] = [];
    vi.stubGlobal("fetch", (_: string, init: { headers: Record<string, string> }) => {
      sent.push(init.headers);
      return Promise.resolve(new Response("[]"));
    });
    const rest = new RestClient(signer);
    await rest.call("list_engines");
    expect(sent[0]?.["X-Delegation-Signature"]).toBe(signer.delegation.signature);
    const text = (sent[0]?.["X-Delegation"] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    expect(atob(text)).toBe(signer.delegation.message);
    await rest.call("register_engine", { body: { name: "Mine" } });
    expect(sent[1]?.["X-Delegation"]).toBeUndefined();
    expect(signed).toHaveLength(2);
  });

  it("is over after twelve hours, and nobody is asked behind their back", async () => {
    vi.useFakeTimers({ now: NOW });
    const { wallet, signed } = countingWallet();
    const signer = await DelegatedSigner.open(wallet, ORIGIN);
    vi.setSystemTime(NOW + 12 * 3_600_000 - 1);
    await signer.sign("x");
    vi.setSystemTime(NOW + 12 * 3_600_000);
    await expect(signer.sign("x")).rejects.toMatchObject({ code: "STALE" });
    expect(signed).toHaveLength(1);
  });

  it("is nothing that a key of the page needs", () => {
    expect(delegationHeaders(new KeySigner(bytesOfHex("11".repeat(32))))).toEqual({});
  });
});

interface Sealed {
  auth: { address: string; message: string; signature: string; delegation?: unknown };
}
