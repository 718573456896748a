/** Commands to one engine and its events: over its own socket where that is reachable, else through the gateway. */

import { FloworkError } from "@/api/errors";
import { type Commands, type ErrorCode, type Events, REPLIES } from "@/contract/contract.gen";
import type { Signer } from "@/wallet/signer";
import { seal } from "./envelope";
import { type Frame, frameOfRelay, framesOfRaw, isRunFrame, type RunFrame } from "./frames";
import type { GuiSocket } from "./gui-socket";
import { RawSocket } from "./raw-socket";

export type CommandName = keyof Commands & keyof typeof REPLIES;
export type Way = "direct" | "relay";
type Fields<Name extends CommandName> = Omit<Commands[Name]["request"], "request_id">;
type RunListener = (frame: RunFrame) => void;
type Listener = (frame: Frame) => void;

interface Question {
  way: Way;
  reply: string;
  resolve(frame: Frame): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

interface FollowedRun {
  last: number;
  listeners: Set<RunListener>;
  /** Whether the engine has said that it sends the events. */
  followed: boolean;
}

const WAIT_MS = 30_000;
/** How long a command waits for a connection that is being made. */
const CONNECT_MS = 10_000;
const WRONG_ENGINE = 1008;
const RETRY_MS = [1000, 2000, 5000, 15_000, 30_000];

export interface EngineTarget {
  engineId: string;
  signer: Signer;
  gateway: GuiSocket;
  /** The engine's own socket, such as ws://127.0.0.1:8765; empty to go through the gateway only. */
  directUrl: string;
  /** The token of a share link, where a visitor uses one; such commands go through the gateway only. */
  shareToken?: string;
  onWay?(way: Way): void;
}

/** Use `request` for commands and `follow` for a run's events; `close` when another engine is chosen. */
export class EngineClient {
  readonly engineId: string;
  readonly #target: EngineTarget;
  readonly #questions = new Map<string, Question>();
  readonly #runs = new Map<string, FollowedRun>();
  readonly #listeners = new Set<Listener>();
  readonly #waiting = new Set<() => void>();
  readonly #stopListening: () => void;
  #raw: RawSocket | null = null;
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(target: EngineTarget) {
    this.engineId = target.engineId;
    this.#target = target;
    this.#stopListening = target.gateway.listen((event, data) => this.#fromGateway(event, data));
    if (target.directUrl) this.#connect();
  }

  get way(): Way {
    return this.#raw?.open ? "direct" : "relay";
  }

  /** Send a command and return its answer; rejects with `FloworkError`. */
  async request<Name extends CommandName>(
    name: Name,
    fields: Fields<Name>,
  ): Promise<Commands[Name]["reply"]> {
    if (!this.#isReachable) await this.#reachable();
    if (this.#closed) throw new FloworkError("ENGINE_UNAVAILABLE", "Another engine was chosen.");
    const requestId = crypto.randomUUID();
    const payload = { type: name, ...fields, request_id: requestId };
    const envelope = await seal(this.#target.signer, this.engineId, payload, Date.now());
    const answered = this.#ask(requestId, REPLIES[name], name);
    if (this.#raw?.open) this.#raw.send(envelope);
    else if (this.#target.gateway.connected) {
      this.#target.gateway.emit(name, {
        envelope,
        target_engine_id: this.engineId,
        request_id: requestId,
        ...(this.#target.shareToken ? { share_token: this.#target.shareToken } : {}),
        ...echoed(fields),
      });
    } else {
      this.#fail(
        requestId,
        new FloworkError("ENGINE_UNAVAILABLE", "There is no connection to the engine. Try again."),
      );
    }
    return (await answered) as Commands[Name]["reply"];
  }

  /** Follow a run from just after an event: past ones first, then live, each once, also over lost connections. */
  follow(jobId: string, listener: RunListener, afterSeq = 0): () => void {
    const known = this.#runs.get(jobId);
    const run = known ?? { last: afterSeq, listeners: new Set<RunListener>(), followed: false };
    run.listeners.add(listener);
    this.#runs.set(jobId, run);
    if (!known) void this.#subscribe(jobId);
    return () => {
      run.listeners.delete(listener);
      if (run.listeners.size === 0) this.#runs.delete(jobId);
    };
  }

  /** Hear of every frame that belongs to no run and answers nothing. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#stopListening();
    this.#wake();
    this.#raw?.close();
    for (const id of [...this.#questions.keys()]) {
      this.#fail(id, new FloworkError("ENGINE_UNAVAILABLE", "Another engine was chosen."));
    }
  }

  #connect(): void {
    const raw = new RawSocket(this.#target.directUrl, this.engineId, {
      onOpen: () => {
        this.#attempt = 0;
        this.#target.onWay?.("direct");
        this.#wake();
        this.#resubscribe();
      },
      onText: (text) => {
        for (const frame of framesOfRaw(text)) this.#take(frame);
      },
      onClose: (code) => this.#lost(code),
    });
    this.#raw = raw;
  }

  #lost(code: number): void {
    this.#raw = null;
    if (this.#closed) return;
    this.#target.onWay?.("relay");
    for (const [id, question] of [...this.#questions]) {
      if (question.way !== "direct") continue;
      this.#fail(
        id,
        new FloworkError("ENGINE_UNAVAILABLE", "The connection to the engine was lost. Try again."),
      );
    }
    this.#resubscribe();
    const wait = RETRY_MS[this.#attempt++];
    // after some vain attempts it rests until the gateway says that the engine is back
    if (code !== WRONG_ENGINE && wait) this.#retry = setTimeout(() => this.#connect(), wait);
  }

  #connectAgain(): void {
    if (this.#raw || !this.#target.directUrl) return;
    this.#attempt = 0;
    clearTimeout(this.#retry);
    this.#connect();
  }

  #fromGateway(event: string, data: unknown): void {
    if (event === "connect") {
      this.#wake();
      if (this.way === "relay") this.#resubscribe();
      return;
    }
    if (event === "engine_status_update" && isPresenceOf(data, this.engineId)) {
      this.#connectAgain();
      // an engine that was started anew knows nobody who followed its runs over the gateway
      this.#resubscribe((run) => this.way === "relay" || !run.followed);
    }
    const frame = frameOfRelay(event, data);
    if (frame) this.#take(frame);
  }

  #resubscribe(which: (run: FollowedRun) => boolean = () => true): void {
    for (const [jobId, run] of this.#runs) if (which(run)) void this.#subscribe(jobId);
  }

  get #isReachable(): boolean {
    return this.way === "direct" || this.#target.gateway.connected;
  }

  /** Wait for a connection, as right after the page was opened; not longer than people would. */
  #reachable(): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(late);
        this.#waiting.delete(go);
        resolve();
      };
      const late = setTimeout(go, CONNECT_MS);
      this.#waiting.add(go);
    });
  }

  #wake(): void {
    for (const go of [...this.#waiting]) go();
  }

  async #subscribe(jobId: string): Promise<void> {
    const run = this.#runs.get(jobId);
    if (!run) return;
    run.followed = false;
    try {
      await this.request("subscribe_run", { job_id: jobId, after_seq: run.last });
      run.followed = true;
    } catch (error) {
      if (error instanceof FloworkError && error.code === "NOT_FOUND") this.#runs.delete(jobId);
    }
  }

  #take(frame: Frame): void {
    this.#answer(frame);
    if (isRunFrame(frame)) {
      const run = this.#runs.get(frame.job_id);
      if (!run || frame.seq <= run.last) return;
      run.last = frame.seq;
      for (const listener of [...run.listeners]) listener(frame);
    } else {
      // what of it one may still follow is asked for again
      if (hasEnded(frame)) this.#resubscribe();
      for (const listener of [...this.#listeners]) listener(frame);
    }
  }

  #answer(frame: Frame): void {
    const id = frame.request_id;
    const question = typeof id === "string" ? this.#questions.get(id) : undefined;
    if (!question || typeof id !== "string") return;
    if (frame.type === "error" || typeof frame.error === "string") {
      const message = String(frame.message ?? frame.error);
      this.#fail(id, new FloworkError((frame.code as ErrorCode) ?? "INTERNAL", message, frame.details));
      return;
    }
    clearTimeout(question.timer);
    this.#questions.delete(id);
    question.resolve({ ...frame, type: question.reply });
  }

  #ask(requestId: string, reply: string, name: string): Promise<Frame> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(
          requestId,
          new FloworkError("DEADLINE_EXCEEDED", `The engine did not answer ${name} in time.`),
        );
      }, WAIT_MS);
      this.#questions.set(requestId, { way: this.way, reply, resolve, reject, timer });
    });
  }

  #fail(requestId: string, error: Error): void {
    const question = this.#questions.get(requestId);
    if (!question) return;
    clearTimeout(question.timer);
    this.#questions.delete(requestId);
    question.reject(error);
  }
}

function isPresenceOf(data: unknown, engineId: string): boolean {
  const presence = data as { engine_id?: unknown; status?: unknown } | null;
  return presence?.engine_id === engineId && presence.status === "online";
}

/** Whether the engine says that it tells nothing more of what was followed, because a right has ended. */
function hasEnded(frame: Frame): boolean {
  const details = frame.details as { ended?: unknown } | null | undefined;
  return frame.type === "error" && frame.request_id === undefined && typeof details?.ended === "string";
}

/** What the gateway may echo when it refuses a command it cannot look into. */
function echoed(fields: object): Record<string, unknown> {
  const given = fields as { job_id?: unknown };
  return typeof given.job_id === "string" ? { job_id: given.job_id } : {};
}

export type RunEvent = Events[keyof Events];
