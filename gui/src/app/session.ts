/** Who is signed in, the connection to the gateway, the engines, and the one that is in use. */

import { create } from "zustand";
import { FloworkError } from "@/api/errors";
import { RestClient } from "@/api/rest";
import type { Engine, SharedEngine } from "@/contract/contract.gen";
import { EngineClient, type Way } from "@/engine/client";
import { type EnginePresence, type EngineVitals, GuiSocket } from "@/engine/gui-socket";
import { KeySigner, type Signer } from "@/wallet/signer";
import { sayWhenEnded } from "./ending";

const CHOSEN = "flowork.engine";
const DIRECT = "flowork.direct";
const VITALS_KEPT = 60;

export interface EngineState {
  online: boolean;
  vitals: EngineVitals | null;
  /** The latest vitals, oldest first, for the little charts. */
  history: EngineVitals[];
}

interface SessionState {
  signer: Signer | null;
  /** The key of a visit by a share link; null while nobody visits. */
  visitor: Signer | null;
  rest: RestClient;
  socket: GuiSocket | null;
  connected: boolean;
  engines: Engine[] | null;
  /** What others share with the one who is signed in. */
  shared: SharedEngine[];
  states: Record<string, EngineState>;
  engineId: string | null;
  engine: EngineClient | null;
  way: Way | null;
  signIn(signer: Signer): Promise<void>;
  signOut(): void;
  /** Reach the engine of a share link, under a key that is made for this visit and forgotten after it. */
  visit(engineId: string, shareToken: string): Promise<Signer>;
  /** List the engines again; the signer is named while it is not yet known to have signed in. */
  loadEngines(signer?: Signer): Promise<void>;
  /** List what others share again; without an answer the list stays. */
  loadShared(): Promise<void>;
  choose(engineId: string, signer?: Signer): void;
  directUrl(engineId: string): string;
  setDirectUrl(engineId: string, url: string): void;
}

const signedOut = {
  signer: null,
  visitor: null,
  socket: null,
  connected: false,
  engines: null,
  shared: [],
  states: {},
  engineId: null,
  engine: null,
  way: null,
};

let stopSaying: () => void = () => undefined;

export const useSession = create<SessionState>((set, get) => ({
  ...signedOut,
  rest: new RestClient(null),

  async signIn(signer) {
    get().signOut();
    const socket = await GuiSocket.open(signer);
    socket.listen((event, data) => hear(event, data));
    const rest = new RestClient(signer);
    set({ rest, socket });
    try {
      await get().loadEngines(signer);
    } catch (error) {
      get().signOut();
      throw error;
    }
    set({ signer });
    stopSaying = sayWhenEnded(signer);
    await get()
      .loadShared()
      .catch(() => undefined); // the screen of the engines asks again and says what is wrong
  },

  signOut() {
    stopSaying();
    get().engine?.close();
    get().socket?.close();
    set({ ...signedOut, rest: new RestClient(null) });
  },

  async visit(engineId, shareToken) {
    get().signOut();
    const visitor = new KeySigner(crypto.getRandomValues(new Uint8Array(32)));
    const socket = await GuiSocket.open(visitor);
    socket.listen((event, data) => hear(event, data));
    const engine = new EngineClient({
      engineId,
      signer: visitor,
      gateway: socket,
      directUrl: "",
      shareToken,
    });
    set({ socket, engineId, engine, way: engine.way, visitor });
    return visitor;
  },

  async loadEngines(signer) {
    const engines = await get().rest.call("list_engines");
    set({ engines });
    const { engineId, states } = get();
    const isKnown = (id: string | null) =>
      id !== null && (engines.some((item) => item.id === id) || id in states);
    if (isKnown(engineId)) return;
    get().engine?.close();
    set({ engineId: null, engine: null, way: null });
    const remembered = engines.find((engine) => engine.id === localStorage.getItem(CHOSEN));
    const first = remembered ?? engines.find((engine) => engine.status === "online") ?? engines[0];
    if (first) get().choose(first.id, signer);
  },

  async loadShared() {
    const { rest } = get();
    const shared = await rest.call("list_shared_engines");
    if (get().rest === rest) set({ shared });
  },

  choose(engineId, unlocked) {
    const { socket, engine } = get();
    const signer = unlocked ?? get().signer;
    if (!signer || !socket) throw new FloworkError("UNAUTHENTICATED", "Unlock your key first.");
    engine?.close();
    localStorage.setItem(CHOSEN, engineId);
    const directUrl = get().directUrl(engineId);
    const onWay = (way: Way) => set({ way });
    const client = new EngineClient({ engineId, signer, gateway: socket, directUrl, onWay });
    set({ engineId, engine: client, way: client.way });
  },

  directUrl: (engineId) => readDirect()[engineId] ?? localDirectUrl(),

  setDirectUrl(engineId, url) {
    // an empty address is kept too: it means "through the gateway only"
    localStorage.setItem(DIRECT, JSON.stringify({ ...readDirect(), [engineId]: url }));
    if (get().engineId === engineId) get().choose(engineId);
  },
}));

/** Where an engine listens by default; a page of this machine looks there by itself. */
function localDirectUrl(): string {
  return ["127.0.0.1", "localhost"].includes(location.hostname) ? "ws://127.0.0.1:8765" : "";
}

function readDirect(): Record<string, string> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(DIRECT) ?? "{}");
    return typeof found === "object" && found !== null ? (found as Record<string, string>) : {};
  } catch {
    return {};
  }
}

function hear(event: string, data: unknown): void {
  const { setState } = useSession;
  if (event === "connect" || event === "disconnect") setState({ connected: event === "connect" });
  else if (event === "initial_engine_statuses" && Array.isArray(data)) {
    for (const item of data as EnginePresence[]) note(item.engine_id, item.status === "online", item.vitals);
  } else if (event === "engine_status_update") {
    const item = data as EnginePresence;
    note(item.engine_id, item.status === "online", item.vitals);
  } else if (event === "engine_vitals_update") {
    const item = data as { engine_id: string; vitals: EngineVitals };
    note(item.engine_id, true, item.vitals);
  } else if (event === "engine_deleted") {
    setState(({ states }) => {
      const { [(data as { engine_id: string }).engine_id]: _gone, ...others } = states;
      return { states: others };
    });
    void useSession
      .getState()
      .loadEngines()
      .catch(() => undefined);
  }
}

function note(engineId: string, online: boolean, vitals: EngineVitals | null): void {
  useSession.setState(({ states }) => {
    const before = states[engineId]?.history ?? [];
    const history = vitals ? [...before, vitals].slice(-VITALS_KEPT) : before;
    return { states: { ...states, [engineId]: { online, vitals, history } } };
  });
}
