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
  const [state, setState] = useState<{ value: Value | null; problem: string | null; busy: boolean }>({
    value: null,
    problem: null,
    busy: true,
  });
  const online = useEngineOnline();
  const engine = useSession((session) => session.engine);
  const way = useSession((session) => session.way);
  const asks = useSession((session) => session.signer?.asks ?? false);
  const latest = useRef(load);
  latest.current = load;
  const turn = useRef(0);

  const reload = useCallback(() => {
    const mine = ++turn.current;
    const settle = (next: Partial<typeof state>) =>
      mine === turn.current && setState((before) => ({ ...before, busy: false, ...next }));
    setState((before) => ({ ...before, busy: true }));
    latest.current().then(
      (value) => settle({ value, problem: null }),
      (error: unknown) => settle({ problem: sentenceOf(error) }),
    );
  }, []);

  const key = JSON.stringify(keys);
  // what was loaded for other keys is not shown
  useEffect(() => setState({ value: null, problem: null, busy: true }), [key]);
  // the key says when to load again
  useEffect(() => {
    if (!online) return;
    reload();
    const again = () => document.visibilityState === "visible" && reload();
    const timer = everyMs && !asks ? setInterval(again, everyMs) : undefined;
    return () => {
      turn.current++;
      clearInterval(timer);
    };
  }, [key, online, everyMs, asks, reload]);

  // what was lost with its way to the engine is asked for again on the new one
  const failed = useRef(false);
  failed.current = state.problem !== null;
  const asked = useRef(engine);
  useEffect(() => {
    const lost = failed.current || asked.current !== engine;
    asked.current = engine;
    if (way && lost && !asks) reload();
  }, [engine, way, asks, reload]);

  const set = useCallback((value: Value) => {
    turn.current++;
    setState({ value, problem: null, busy: false });
  }, []);
  return { ...state, reload, set };
}

/** Whether the chosen engine is there to answer, and there is a way to it. */
export function useEngineOnline(): boolean {
  return useSession(({ engineId, states, engines, way, connected }) => {
    if (!engineId) return false;
    const listed = engines?.find((engine) => engine.id === engineId)?.status === "online";
    return way === "direct" || (connected && (states[engineId]?.online ?? listed));
  });
}
