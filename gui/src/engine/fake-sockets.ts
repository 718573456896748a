/** Sockets for tests that do nothing by themselves. */

type Handler = (event: never) => void;

/** Stands in for the browser's WebSocket; the test is the other side. */
export class FakeWebSocket {
  static readonly OPEN = 1;
  static readonly CLOSED = 3;
  static made: FakeWebSocket[] = [];
  readonly url: string;
  readonly sent: string[] = [];
  readyState = 0;
  readonly #handlers = new Map<string, Handler[]>();

  constructor(url: URL | string) {
    this.url = String(url);
    FakeWebSocket.made.push(this);
  }

  addEventListener(type: string, handler: Handler): void {
    this.#handlers.set(type, [...(this.#handlers.get(type) ?? []), handler]);
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.end(1000);
  }

  accept(): void {
    this.readyState = FakeWebSocket.OPEN;
    this.#fire("open", {});
  }

  say(data: string): void {
    this.#fire("message", { data });
  }

  end(code: number): void {
    this.readyState = FakeWebSocket.CLOSED;
    this.#fire("close", { code });
  }

  #fire(type: string, event: object): void {
    for (const handler of this.#handlers.get(type) ?? []) handler(event as never);
  }
}

/** Stands in for the connection to the gateway. */
export class FakeGateway {
  connected = true;
  readonly sent: { event: string; payload: Record<string, unknown> }[] = [];
  readonly #listeners = new Set<(event: string, data: unknown) => void>();

  emit(event: string, payload: Record<string, unknown>): void {
    this.sent.push({ event, payload });
  }

  listen(listener: (event: string, data: unknown) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(event: string, data: unknown): void {
    for (const listener of [...this.#listeners]) listener(event, data);
  }
}
