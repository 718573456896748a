/** The one Socket.IO connection of this page to its gateway: presence of engines, and the relay to them. */

import { io, type Socket } from "socket.io-client";
import { delegationHeaders } from "@/wallet/delegation";
import type { Signer } from "@/wallet/signer";

export interface EngineVitals {
  cpu_percent: number;
  memory_percent: number;
  is_busy: boolean;
}

export interface EnginePresence {
  engine_id: string;
  status: "online" | "offline";
  vitals: EngineVitals | null;
}

async function proofOf(signer: Signer): Promise<Record<string, string>> {
  const message = `flowork_socket_auth|${signer.address}|${Math.floor(Date.now() / 1000)}`;
  return {
    "X-User-Address": signer.address,
    "X-Signed-Message": message,
    "X-Signature": await signer.sign(message),
    "X-Payload-Version": "2",
    ...delegationHeaders(signer),
  };
}

type Listener = (event: string, data: unknown) => void;

/** The library connects again by itself. */
export class GuiSocket {
  readonly #socket: Socket;
  readonly #listeners = new Set<Listener>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.onAny((event: string, data: unknown) => this.#tell(event, data));
    for (const event of ["connect", "disconnect"] as const) socket.on(event, () => this.#tell(event, null));
    socket.on("connect_error", (error: Error) => this.#tell("connect_error", error.message));
  }

  static async open(signer: Signer, origin = ""): Promise<GuiSocket> {
    const first = await proofOf(signer);
    let fresh = true;
    const prove = async () => {
      // a proof lives for hours; a key signs a new one for each connection, a person is not asked again
      const headers = fresh || signer.asks ? first : await proofOf(signer);
      fresh = false;
      return { headers };
    };
    const socket = io(`${origin}/gui-socket`, {
      path: "/api/socket.io",
      transports: ["websocket"],
      auth: (give) => void prove().then(give),
      reconnectionDelay: 500,
      reconnectionDelayMax: 8000,
    });
    return new GuiSocket(socket);
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  emit(event: string, payload: object): void {
    this.#socket.emit(event, { v: 2, payload });
  }

  /** Hear every event, and ``connect``, ``disconnect`` and ``connect_error``; returns how to stop. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
    this.#socket.close();
  }

  #tell(event: string, data: unknown): void {
    for (const listener of [...this.#listeners]) listener(event, data);
  }
}
