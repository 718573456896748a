import { sha256 } from "@noble/hashes/sha2.js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { hexOf, utf8 } from "@/crypto/bytes";
import { signText } from "@/crypto/personal-sign";
import { KeySigner } from "@/wallet/signer";
import { FloworkError } from "./errors";
import { RestClient } from "./rest";

const KEY = Uint8Array.from({ length: 32 }, (_, place) => place + 1);

interface Sent {
  url: string;
  init: RequestInit & { headers: Record<string, string> };
}

function answering(status: number, body: string): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal("fetch", (url: string, init: Sent["init"]) => {
    sent.push({ url, init });
    return Promise.resolve(new Response(status === 204 ? null : body, { status }));
  });
  return sent;
}

describe("a REST call", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("signs address, method, path, time, nonce and body", async () => {
    const sent = answering(200, '{"message":"done"}');
    const client = new RestClient(new KeySigner(KEY));
    await client.call("update_engine_name", { path: { engine_id: "a/b c" }, body: { name: "Bär" } });
    const { url, init } = sent[0] as Sent;
    expect(url).toBe("/api/v1/user/engines/a%2Fb%20c/update-name");
    expect(init.body).toBe('{"name":"Bär"}');
    const message = init.headers["X-Signed-Message"] ?? "";
    const [purpose, address, method, target, time, nonce, digest] = message.split("|");
    expect([purpose, address, method, target]).toEqual([
      "flowork_api",
      new KeySigner(KEY).address,
      "PUT",
      url,
    ]);
    expect(Math.abs(Number(time) - Date.now())).toBeLessThan(60_000);
    expect(nonce).toMatch(/^[0-9a-f]{32}$/);
    expect(digest).toBe(hexOf(sha256(utf8(String(init.body)))));
    expect(init.headers["X-Signature"]).toBe(signText(KEY, message));
  });

  it("never uses a nonce twice, and covers the query", async () => {
    const sent = answering(200, "[]");
    const client = new RestClient(new KeySigner(KEY));
    await client.call("list_folder", { query: { path: "/a b" } });
    await client.call("list_folder", { query: { path: "/a b" } });
    const [first, second] = sent.map(({ init }) => init.headers["X-Signed-Message"]?.split("|") ?? []);
    expect(first?.[3]).toBe("/api/v1/filesystem/list?path=%2Fa+b");
    expect(first?.[5]).not.toBe(second?.[5]);
  });

  it("names the engine that a proxied operation is meant for", async () => {
    const sent = answering(200, "{}");
    await new RestClient(new KeySigner(KEY)).call("live_stats", { engineId: "engine-1" });
    expect(sent[0]?.init.headers["X-Flowork-Engine-ID"]).toBe("engine-1");
  });

  it("needs a key where the operation does, and only there", async () => {
    const sent = answering(200, '{"status":"healthy","database":"connected"}');
    const client = new RestClient(null);
    await expect(client.call("list_engines")).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    await client.call("health");
    expect(sent).toHaveLength(1);
    expect(sent[0]?.init.headers).toEqual({});
  });

  it("turns refusals into errors with their code and details", async () => {
    answering(409, '{"error":"There are two.","code":"CONFLICT","details":{"count":2}}');
    const refused = new RestClient(null).call("health");
    await expect(refused).rejects.toBeInstanceOf(FloworkError);
    await expect(refused).rejects.toMatchObject({
      code: "CONFLICT",
      message: "There are two.",
      details: { count: 2 },
    });
  });

  it("downloads a file, or says why there is none", async () => {
    answering(200, "%PDF-1.7");
    const client = new RestClient(new KeySigner(KEY));
    const file = await client.download("download_invoice", { path: { number: "7" } });
    expect(await file.text()).toBe("%PDF-1.7");
    answering(404, '{"error":"There is no invoice 8.","code":"NOT_FOUND"}');
    await expect(client.download("download_invoice", { path: { number: "8" } })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });

  it("says so where the answer is not JSON, or none comes", async () => {
    answering(502, "<html>");
    await expect(new RestClient(null).call("health")).rejects.toThrow(/not JSON \(HTTP 502\)/);
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(new RestClient(null).call("health")).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });
});
