/** Signed REST requests to the gateway; each signature covers method, path and body of one request. */

import { sha256 } from "@noble/hashes/sha2.js";
import { type ErrorCode, OPERATIONS, type Operations } from "@/contract/contract.gen";
import { hexOf, randomHex, utf8 } from "@/crypto/bytes";
import type { Signer } from "@/wallet/signer";
import { FloworkError } from "./errors";

const WAIT_MS = 30_000;

export type OperationName = keyof Operations & keyof typeof OPERATIONS;
type Filled<Value> = Value extends undefined ? { [Key in never]: never } : Value;

export interface CallOptions<Name extends OperationName> {
  path?: Operations[Name]["path"];
  body?: Operations[Name]["body"];
  query?: Record<string, string>;
  /** Which engine a proxied operation is meant for. */
  engineId?: string | undefined;
  signal?: AbortSignal;
}

export class RestClient {
  readonly #signer: Signer | null;
  readonly #origin: string;

  constructor(signer: Signer | null, origin = "") {
    this.#signer = signer;
    this.#origin = origin;
  }

  /** Call an operation of the contract; rejects with `FloworkError`. */
  async call<Name extends OperationName>(
    name: Name,
    options: CallOptions<Name> = {},
  ): Promise<Operations[Name]["response"]> {
    return (await read(await this.#send(name, options))) as Operations[Name]["response"];
  }

  /** Call an operation that answers with a file; rejects with `FloworkError`. */
  async download<Name extends OperationName>(name: Name, options: CallOptions<Name> = {}): Promise<Blob> {
    const answer = await this.#send(name, options);
    if (!answer.ok) await read(answer);
    return answer.blob();
  }

  async #send<Name extends OperationName>(name: Name, options: CallOptions<Name>): Promise<Response> {
    const { method, auth } = OPERATIONS[name];
    const target = targetOf(
      OPERATIONS[name].path,
      options.path as Filled<Record<string, string>>,
      options.query,
    );
    const body = options.body === undefined ? "" : JSON.stringify(options.body);
    const headers: Record<string, string> = body ? { "Content-Type": "application/json" } : {};
    if (auth === "wallet") Object.assign(headers, await this.#proof(method, target, body));
    if (options.engineId) headers["X-Flowork-Engine-ID"] = options.engineId;
    return this.#fetch(target, { method, headers, ...(body ? { body } : {}) }, options.signal);
  }

  async #proof(method: string, target: string, body: string): Promise<Record<string, string>> {
    if (!this.#signer) throw new FloworkError("UNAUTHENTICATED", "Unlock your key first.");
    const { address } = this.#signer;
    const digest = hexOf(sha256(utf8(body)));
    const text = `flowork_api|${address}|${method}|${target}|${Date.now()}|${randomHex(16)}|${digest}`;
    return {
      "X-User-Address": address,
      "X-Signed-Message": text,
      "X-Signature": await this.#signer.sign(text),
      "X-Payload-Version": "2",
    };
  }

  async #fetch(target: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const late = AbortSignal.timeout(WAIT_MS);
    try {
      return await fetch(this.#origin + target, {
        ...init,
        signal: signal ? AbortSignal.any([signal, late]) : late,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new FloworkError(
        "DEADLINE_EXCEEDED",
        "The gateway does not answer. Check the connection and try again.",
      );
    }
  }
}

function targetOf(
  path: string,
  parameters: Record<string, string> = {},
  query?: Record<string, string>,
): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parameters[name] ?? ""));
  const search = query ? `?${new URLSearchParams(query)}` : "";
  return `/api/v1${filled}${search}`;
}

async function read(answer: Response): Promise<unknown> {
  if (answer.status === 204) return undefined;
  const text = await answer.text();
  let value: unknown;
  try {
    value = text ? JSON.parse(text) : undefined;
  } catch {
    throw new FloworkError(
      "INTERNAL",
      `The gateway gave an answer that is not JSON (HTTP ${answer.status}).`,
    );
  }
  if (answer.ok) return value;
  const problem = value as { error?: string; code?: ErrorCode; details?: unknown } | undefined;
  throw new FloworkError(
    problem?.code ?? "INTERNAL",
    problem?.error ?? `HTTP ${answer.status}`,
    problem?.details,
  );
}
