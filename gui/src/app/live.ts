/** What a screen shows of the engine: loaded when it opens, kept fresh while it is looked at. */

import { useCallback, useEffect, useRef, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useSession } from "./session";

export interface Live<Value> {
  value: Value | null;
  problem: string | null;
  busy: boolean;
  reload(): void;
  /** Put in what an action has answered, without asking again. */
  set(value: Value): void;
}

type Shown<Value> = Pick<Live<Value>, "value" | "problem" | "busy">;
const NOTHING = { value: null, problem: null, busy: true };

/** A value that is loaded when asked; an answer that came too late for what is wanted now is not shown. */
function useAnswer<Value>(load: () => Promise<Value>, key: string): Live<Value> & { drop(): void } {
  const [state, setState] = useState<Shown<Value>>(NOTHING);
  const latest = useRef(load);
  latest.current = load;
  const turn = useRef(0);
  const reload = useCallback(() => {
    const mine = ++turn.current;
    const settle = (next: Partial<Shown<Value>>) =>
      mine === turn.current && setState((before) => ({ ...before, busy: false, ...next }));
    setState((before) => ({ ...before, busy: true }));
    latest.current().then(
      (value) => settle({ value, problem: null }),
      (error: unknown) => settle({ problem: sentenceOf(error) }),
    );
  }, []);
  const drop = useCallback(() => {
    turn.current++;
  }, []);
  const set = useCallback((value: Value) => {
    turn.current++;
    setState({ value, problem: null, busy: false });
  }, []);
  // what was loaded for another key is not shown
  useEffect(() => setState(NOTHING), [key]);
  return { ...state, reload, set, drop };
}

/** Load something of the gateway, or that is looked up once: when it is first shown and when ``keys`` change. */
export function useLoaded<Value>(load: () => Promise<Value>, keys: readonly unknown[]): Live<Value> {
  const key = JSON.stringify(keys);
  const { reload, drop, ...shown } = useAnswer(load, key);
  const rest = useSession((state) => state.rest);
  useEffect(() => {
    reload();
    return drop;
  }, [key, rest, reload, drop]);
  return { ...shown, reload };
}

/**
 * Load a value of the chosen engine, again when ``keys`` change, and every ``everyMs`` while the page is visible.
 *
 * While the engine is offline what was loaded stays; when it is back, it is loaded again. What failed is tried again
 * where there is another way to the engine.
 * With a wallet that asks its owner for each signature nothing is loaded again by itself.
 */
export function useLive<Value>(
  load: () => Promise<Value>,
  keys: readonly unknown[],
  everyMs?: number,
): Live<Value> {
  const online = useEngineOnline();
  const engine = useSession((session) => session.engine);
  const way = useSession((session) => session.way);
  const asks = useSession((session) => session.signer?.asks ?? false);
  const key = JSON.stringify(keys);
  const { reload, drop, ...shown } = useAnswer(load, key);
  // the key says when to load again
  useEffect(() => {
    if (!online) return;
    reload();
    const again = () => document.visibilityState === "visible" && reload();
    const timer = everyMs && !asks ? setInterval(again, everyMs) : undefined;
    return () => {
      drop();
      clearInterval(timer);
    };
  }, [key, online, everyMs, asks, reload, drop]);

  // what was lost with its way to the engine is asked for again on the new one
  const failed = useRef(false);
  failed.current = shown.problem !== null;
  const asked = useRef(engine);
  useEffect(() => {
    const lost = failed.current || asked.current !== engine;
    asked.current = engine;
    if (way && lost && !asks) reload();
  }, [engine, way, asks, reload]);

  return { ...shown, reload };
}

/** Whether the chosen engine is there to answer, and there is a way to it. */
export function useEngineOnline(): boolean {
  return useSession(({ engineId, states, engines, way, connected }) => {
    if (!engineId) return false;
    const listed = engines?.find((engine) => engine.id === engineId)?.status === "online";
    return way === "direct" || (connected && (states[engineId]?.online ?? listed));
  });
}
