import { sha256 } from "@noble/hashes/sha2.js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hexOf, utf8 } from "@/crypto/bytes";
import { signText } from "@/crypto/personal-sign";
import { KeySigner } from "@/wallet/signer";
import { EngineClient, type Way } from "./client";
import { FakeGateway, FakeWebSocket } from "./fake-sockets";
import type { GuiSocket } from "./gui-socket";

const KEY = Uint8Array.from({ length: 32 }, (_, place) => place + 1);
const signer = new KeySigner(KEY);
const flush = () => vi.advanceTimersByTimeAsync(0);

function started(directUrl = "") {
  const gateway = new FakeGateway();
  const ways: Way[] = [];
  const client = new EngineClient({
    engineId: "engine-1",
    signer,
    gateway: gateway as unknown as GuiSocket,
    directUrl,
    onWay: (way) => ways.push(way),
  });
  return { gateway, client, ways };
}

async function open(socket: FakeWebSocket | undefined): Promise<FakeWebSocket> {
  if (!socket) throw new Error("no socket was opened");
  socket.accept();
  await vi.advanceTimersByTimeAsync(200);
  return socket;
}

const newest = () => FakeWebSocket.made.at(-1);

beforeEach(() => {
  vi.useFakeTimers();
  FakeWebSocket.made = [];
  vi.stubGlobal("WebSocket", FakeWebSocket);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("over the gateway", () => {
  it("sends a sealed envelope as text and takes the answer with its request id", async () => {
    const { gateway, client } = started();
    const answer = client.request("request_variables", {});
    await flush();
    const { event, payload } = gateway.sent[0] as (typeof gateway.sent)[0];
    expect(event).toBe("request_variables");
    expect(payload).toMatchObject({ target_engine_id: "engine-1" });
    const text = payload.envelope as string;
    const body = text.slice('{"payload":'.length, text.indexOf(',"auth":'));
    const { auth } = JSON.parse(text) as { auth: Record<string, string> };
    expect(auth.message?.split("|").at(-1)).toBe(hexOf(sha256(utf8(body))));
    expect(auth.message?.startsWith(`flowork_engine|${signer.address}|engine-1|`)).toBe(true);
    expect(auth.signature).toBe(signText(KEY, auth.message ?? ""));
    gateway.tell("response_variables", {
      v: 2,
      payload: { variables: [], request_id: payload.request_id },
    });
    expect(await answer).toMatchObject({ type: "variables_response", variables: [] });
  });

  it("rejects with the engine's error, after a while with a time-out or without a connection", async () => {
    const { gateway, client } = started();
    const refused = expect(client.request("request_variables", {})).rejects.toMatchObject({
      code: "FORBIDDEN",
      message: "Not yours.",
    });
    await flush();
    gateway.tell("error", {
      code: "FORBIDDEN",
      message: "Not yours.",
      request_id: gateway.sent[0]?.payload.request_id,
    });
    await refused;
    const late = expect(client.request("request_variables", {})).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
    });
    await vi.advanceTimersByTimeAsync(31_000);
    await late;
    gateway.connected = false;
    const vain = expect(client.request("request_variables", {})).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
    });
    await vi.advanceTimersByTimeAsync(11_000);
    await vain;
  });

  it("waits for a connection that is being made", async () => {
    const { gateway, client } = started();
    gateway.connected = false;
    const answer = client.request("request_variables", {});
    await vi.advanceTimersByTimeAsync(5000);
    expect(gateway.sent).toHaveLength(0);
    gateway.connected = true;
    gateway.tell("connect", null);
    await flush();
    const request_id = gateway.sent[0]?.payload.request_id;
    gateway.tell("response_variables", { v: 2, payload: { variables: [], request_id } });
    expect(await answer).toMatchObject({ variables: [] });
    gateway.connected = false;
    const left = expect(client.request("request_variables", {})).rejects.toMatchObject({
      message: "Another engine was chosen.",
    });
    client.close();
    await left;
  });

  it("asks for a run's events again when the engine is back that could not be asked", async () => {
    const { gateway, client } = started();
    client.follow("run-1", () => undefined);
    await flush();
    const asked = () => gateway.sent.filter(({ event }) => event === "subscribe_run");
    gateway.tell("error", {
      code: "ENGINE_UNAVAILABLE",
      message: "It is off.",
      request_id: asked()[0]?.payload.request_id,
    });
    await flush();
    const online = { engine_id: "engine-1", status: "online" };
    gateway.tell("engine_status_update", online);
    await flush();
    expect(asked()).toHaveLength(2);
    gateway.tell("run_subscribed", { job_id: "run-1", request_id: asked()[1]?.payload.request_id });
    await flush();
    // an engine that comes back may have been started anew, and knows nobody then
    gateway.tell("engine_status_update", online);
    await flush();
    expect(asked()).toHaveLength(3);
  });

  it("asks for a run's events again when it is told that what it was told them by has ended", async () => {
    const { gateway, client } = started();
    client.follow("run-1", () => undefined, 4);
    await flush();
    const asked = () => gateway.sent.filter(({ event }) => event === "subscribe_run");
    gateway.tell("run_subscribed", { job_id: "run-1", request_id: asked()[0]?.payload.request_id });
    gateway.tell("error", { code: "FORBIDDEN", message: "Access revoked", details: { ended: "access" } });
    await flush();
    expect(asked()).toHaveLength(2);
    // the refusal of that is an answer, and not asked about once more
    const request_id = asked()[1]?.payload.request_id;
    gateway.tell("error", { code: "NOT_FOUND", message: "No.", details: { ended: "access" }, request_id });
    await flush();
    expect(asked()).toHaveLength(2);
  });

  it("gives each event of a run once, and asks for the rest after a lost connection", async () => {
    const { gateway, client } = started();
    const seen: number[] = [];
    const stop = client.follow("run-1", (frame) => seen.push(frame.seq));
    await flush();
    const frame = (seq: number) => ({ job_id: "run-1", seq, level: "INFO", message: "", source: "", ts: "" });
    for (const seq of [1, 2, 2, 1, 3]) gateway.tell("WORKFLOW_LOG_ENTRY", frame(seq));
    gateway.tell("WORKFLOW_LOG_ENTRY", { ...frame(9), job_id: "run-2" });
    expect(seen).toEqual([1, 2, 3]);
    gateway.tell("connect", null);
    await flush();
    const again = JSON.parse(gateway.sent.at(-1)?.payload.envelope as string) as { payload: object };
    expect(again.payload).toMatchObject({ type: "subscribe_run", job_id: "run-1", after_seq: 3 });
    stop();
    gateway.tell("WORKFLOW_LOG_ENTRY", frame(4));
    expect(seen).toEqual([1, 2, 3]);
  });
});

describe("over the engine's own socket", () => {
  it("is preferred once it is open, and left when it ends", async () => {
    const { gateway, client, ways } = started("ws://127.0.0.1:8765");
    const socket = await open(newest());
    expect(socket.url).toBe("ws://127.0.0.1:8765/?engineId=engine-1&frames=batch");
    expect(client.way).toBe("direct");
    const lost = expect(client.request("request_variables", {})).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
    });
    await flush();
    expect(socket.sent).toHaveLength(1);
    expect(gateway.sent).toHaveLength(0);
    socket.end(1006);
    await lost;
    expect(client.way).toBe("relay");
    expect(ways).toEqual(["direct", "relay"]);
    await vi.advanceTimersByTimeAsync(1500);
    await open(newest());
    expect(FakeWebSocket.made).toHaveLength(2);
    expect(client.way).toBe("direct");
  });

  it("reads single frames and batches", async () => {
    const { client } = started("ws://127.0.0.1:8765");
    const socket = await open(newest());
    const heard: string[] = [];
    client.listen((frame) => heard.push(frame.type));
    socket.say('{"type":"engine_status_update"}');
    socket.say('{"type":"batch","frames":[{"type":"a"},{"type":"b"},7]}');
    expect(heard).toEqual(["engine_status_update", "a", "b"]);
  });

  it("is not tried again where another engine listens, until the gateway says ours is back", async () => {
    const { gateway, client, ways } = started("ws://127.0.0.1:8765");
    newest()?.accept();
    newest()?.end(1008);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(FakeWebSocket.made).toHaveLength(1);
    expect(ways).not.toContain("direct");
    gateway.tell("engine_status_update", { engine_id: "engine-2", status: "online" });
    expect(FakeWebSocket.made).toHaveLength(1);
    gateway.tell("engine_status_update", { engine_id: "engine-1", status: "online" });
    await open(newest());
    expect(client.way).toBe("direct");
    client.close();
    expect(newest()?.readyState).toBe(FakeWebSocket.CLOSED);
  });
});
