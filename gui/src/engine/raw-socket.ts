/** A WebSocket straight to an engine, when the page can reach it; tells when it opens, speaks and ends. */

export interface RawEvents {
  onOpen(): void;
  onText(text: string): void;
  /** It ended; the close code is 1008 where this is not the engine that was meant. */
  onClose(code: number): void;
}

const OPEN_MS = 4000;
/** An engine accepts before it refuses; what is open for this long has not been refused. */
const SETTLE_MS = 100;

export class RawSocket {
  readonly #socket: WebSocket;
  #ended = false;
  #settled = false;

  constructor(url: string, engineId: string, events: RawEvents) {
    const address = new URL(url);
    address.searchParams.set("engineId", engineId);
    address.searchParams.set("frames", "batch");
    this.#socket = new WebSocket(address);
    const late = setTimeout(() => this.close(), OPEN_MS);
    let settling: ReturnType<typeof setTimeout>;
    this.#socket.addEventListener("open", () => {
      clearTimeout(late);
      settling = setTimeout(() => {
        this.#settled = true;
        events.onOpen();
      }, SETTLE_MS);
    });
    this.#socket.addEventListener("message", ({ data }) => events.onText(String(data)));
    // every failure ends with a close event, which alone knows the code
    this.#socket.addEventListener("close", ({ code }) => {
      clearTimeout(late);
      clearTimeout(settling);
      if (this.#ended) return;
      this.#ended = true;
      events.onClose(code);
    });
  }

  get open(): boolean {
    return this.#settled && this.#socket.readyState === WebSocket.OPEN;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  close(): void {
    this.#socket.close();
  }
}
