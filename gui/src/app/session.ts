/** Who is signed in, the connection to the gateway, the engines, and the one that is in use. */

import { create } from "zustand";
import { FloworkError } from "@/api/errors";
import { RestClient } from "@/api/rest";
import type { Engine } from "@/contract/contract.gen";
import { EngineClient, type Way } from "@/engine/client";
import { type EnginePresence, type EngineVitals, GuiSocket } from "@/engine/gui-socket";
import type { Signer } from "@/wallet/signer";

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
  rest: RestClient;
  socket: GuiSocket | null;
  connected: boolean;
  engines: Engine[] | null;
  states: Record<string, EngineState>;
  engineId: string | null;
  engine: EngineClient | null;
  way: Way | null;
  signIn(signer: Signer): Promise<void>;
  signOut(): void;
  loadEngines(): Promise<void>;
  choose(engineId: string): void;
  directUrl(engineId: string): string;
  setDirectUrl(engineId: string, url: string): void;
}

const signedOut = {
  signer: null,
  socket: null,
  connected: false,
  engines: null,
  states: {},
  engineId: null,
  engine: null,
  way: null,
};

export const useSession = create<SessionState>((set, get) => ({
  ...signedOut,
  rest: new RestClient(null),

  async signIn(signer) {
    get().signOut();
    const socket = await GuiSocket.open(signer);
    socket.listen((event, data) => hear(event, data));
    set({ signer, rest: new RestClient(signer), socket });
    await get().loadEngines();
  },

  signOut() {
    get().engine?.close();
    get().socket?.close();
    set({ ...signedOut, rest: new RestClient(null) });
  },

  async loadEngines() {
    const engines = await get().rest.call("list_engines");
    set({ engines });
    const { engineId } = get();
    const known = engines.some((engine) => engine.id === engineId);
    if (known) return;
    const remembered = engines.find((engine) => engine.id === localStorage.getItem(CHOSEN));
    const first = remembered ?? engines.find((engine) => engine.status === "online") ?? engines[0];
    if (first) get().choose(first.id);
  },

  choose(engineId) {
    const { signer, socket, engine } = get();
    if (!signer || !socket) throw new FloworkError("UNAUTHENTICATED", "Unlock your key first.");
    engine?.close();
    localStorage.setItem(CHOSEN, engineId);
    const directUrl = get().directUrl(engineId);
    const onWay = (way: Way) => set({ way });
    const client = new EngineClient({ engineId, signer, gateway: socket, directUrl, onWay });
    set({ engineId, engine: client, way: client.way });
  },

  directUrl: (engineId) => readDirect()[engineId] ?? "",

  setDirectUrl(engineId, url) {
    localStorage.setItem(DIRECT, JSON.stringify({ ...readDirect(), [engineId]: url }));
    if (get().engineId === engineId) get().choose(engineId);
  },
}));

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
  }
}

function note(engineId: string, online: boolean, vitals: EngineVitals | null): void {
  useSession.setState(({ states }) => {
    const before = states[engineId]?.history ?? [];
    const history = vitals ? [...before, vitals].slice(-VITALS_KEPT) : before;
    return { states: { ...states, [engineId]: { online, vitals, history } } };
  });
}
