/** A WebSocket straight to an engine, when the page can reach it; tells when it opens, speaks and ends. */

export interface RawEvents {
  onOpen(): void;
  onText(text: string): void;
  onClose(): void;
}

const OPEN_MS = 4000;

export class RawSocket {
  readonly #socket: WebSocket;
  #ended = false;

  constructor(url: string, engineId: string, events: RawEvents) {
    const address = new URL(url);
    address.searchParams.set("engineId", engineId);
    address.searchParams.set("frames", "batch");
    this.#socket = new WebSocket(address);
    const late = setTimeout(() => this.close(), OPEN_MS);
    const end = () => {
      clearTimeout(late);
      if (this.#ended) return;
      this.#ended = true;
      events.onClose();
    };
    this.#socket.addEventListener("open", () => {
      clearTimeout(late);
      events.onOpen();
    });
    this.#socket.addEventListener("message", ({ data }) => events.onText(String(data)));
    this.#socket.addEventListener("close", end);
    this.#socket.addEventListener("error", end);
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  close(): void {
    this.#socket.close();
  }
}
