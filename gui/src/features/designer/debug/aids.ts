/** What helps to try a workflow out: pinned results and breakpoints, kept in this browser for each preset. */

import { create } from "zustand";
import { useSession } from "@/app/session";
import type { StoredPin } from "@/contract/contract.gen";
import { t } from "@/i18n/words";
import { tell, tellError } from "@/ui/toasts";
import { useDocument, workflowNow } from "../document/store";
import { useRun } from "../run/store";

/** Payloads by port, as a run takes them in the place of a step's own. */
export type Outputs = Record<string, unknown>;

interface Pin {
  outputs: Outputs;
  /** Whether the engine keeps it with the preset, for everybody who tries it out. */
  stored: boolean;
}

interface AidState {
  pins: Readonly<Record<string, Pin>>;
  /** The connections at which data stops. */
  breakpoints: ReadonlySet<string>;
}

export const useAids = create<AidState>(() => ({ pins: {}, breakpoints: new Set() }));

const PLACE = "flowork.designer.aids/";
const placeOf = (engineId: string, preset: string | null) => `${PLACE}${engineId}/${preset ?? ""}`;

/** What a start of the workflow on the canvas asks for. */
export function aidsForStart(): {
  pins?: Record<string, Outputs>;
  use_pins?: boolean;
  breakpoints?: string[];
} {
  const { nodes, connections } = workflowNow();
  const { pins, breakpoints } = useAids.getState();
  const here = nodes.flatMap(({ id }) => (pins[id] ? [{ id, ...pins[id] }] : []));
  const own = here.filter((pin) => !pin.stored).map((pin) => [pin.id, pin.outputs] as const);
  const stops = connections.filter(({ id }) => breakpoints.has(id)).map(({ id }) => id);
  return {
    ...(own.length ? { pins: Object.fromEntries(own) } : {}),
    ...(here.some((pin) => pin.stored) ? { use_pins: true } : {}),
    ...(stops.length ? { breakpoints: stops } : {}),
  };
}

/** Have data stop at connections, or no more; a run that goes on hears of it too. */
export function toggleBreakpoints(ids: readonly string[]): void {
  const next = new Set(useAids.getState().breakpoints);
  const all = ids.every((id) => next.has(id));
  for (const id of ids) {
    if (all) next.delete(id);
    else next.add(id);
  }
  useAids.setState({ breakpoints: next });
  void useRun.getState().stopAt([...next]);
}

/** Fix what a step gives: what it gave in the run on the canvas. */
export async function pinResults(ids: readonly string[]): Promise<void> {
  const { jobId } = useRun.getState();
  for (const id of ids) {
    if (jobId === null) {
      tell(t("pin.noRun"));
      return;
    }
    const outputs = await outputsOf(jobId, id);
    if (outputs) await pin(id, outputs, jobId);
    else tell(t("pin.nothing", { name: nameOf(id) }));
  }
}

/** Fix what a step gives; `fromJob` is the run that it is from. */
export async function pin(id: string, outputs: Outputs, fromJob?: string): Promise<void> {
  const { engine } = useSession.getState();
  const { preset, saved } = useDocument.getState();
  const isSaved = preset !== null && saved.nodes.some((node) => node.id === id);
  try {
    if (!engine || !isSaved) put(id, { outputs, stored: false });
    else {
      const what = fromJob ? { from_job_id: fromJob } : { outputs };
      takeStored((await engine.request("pin_data", { preset, node_id: id, ...what })).pins);
    }
    tell(t("pin.done", { name: nameOf(id) }), "good");
  } catch (error) {
    tellError(error);
  }
}

export async function unpin(ids: readonly string[]): Promise<void> {
  const { engine } = useSession.getState();
  const { preset } = useDocument.getState();
  for (const id of ids) {
    try {
      if (useAids.getState().pins[id]?.stored && engine && preset !== null)
        takeStored((await engine.request("pin_data", { preset, node_id: id, clear: true })).pins);
      else put(id, null);
    } catch (error) {
      tellError(error);
    }
  }
}

/** Pin the steps, or take their pins away where all of them have one. */
export async function togglePins(ids: readonly string[]): Promise<void> {
  const { pins } = useAids.getState();
  if (ids.length === 0) return;
  await (ids.every((id) => pins[id]) ? unpin(ids) : pinResults(ids.filter((id) => !pins[id])));
}

/** Bring the aids to those of a preset, and keep them as they change; returns how to stop. */
export function keepAids(engineId: string, preset: string | null): () => void {
  const place = placeOf(engineId, preset);
  useAids.setState(readAids(place));
  const { engine } = useSession.getState();
  let left = false;
  if (preset !== null)
    engine?.request("list_pins", { preset }).then(
      (answer) => !left && takeStored(answer.pins),
      () => undefined, // Who may not see pins draws without them.
    );
  const stop = useAids.subscribe(({ pins, breakpoints }) => {
    const own = Object.entries(pins).filter(([, item]) => !item.stored);
    if (own.length + breakpoints.size === 0) return localStorage.removeItem(place);
    try {
      const kept = { pins: Object.fromEntries(own), breakpoints: [...breakpoints] };
      localStorage.setItem(place, JSON.stringify(kept));
    } catch {
      // Without room in the browser they last as long as the page.
    }
  });
  return () => {
    left = true;
    stop();
  };
}

/** What was tried out without a name goes on under the name. */
export function carryAids(engineId: string, preset: string): void {
  const from = placeOf(engineId, null);
  const found = localStorage.getItem(from);
  if (found === null) return;
  localStorage.setItem(placeOf(engineId, preset), found);
  localStorage.removeItem(from);
}

function readAids(place: string): AidState {
  try {
    const found = JSON.parse(localStorage.getItem(place) ?? "{}") as {
      pins?: Record<string, Pin>;
      breakpoints?: string[];
    };
    return { pins: found.pins ?? {}, breakpoints: new Set(found.breakpoints) };
  } catch {
    return { pins: {}, breakpoints: new Set() };
  }
}

/** The pins of the engine, and beside them those of this browser. */
function takeStored(stored: readonly StoredPin[]): void {
  const own = Object.entries(useAids.getState().pins).filter(([, item]) => !item.stored);
  const theirs = stored.map(({ node_id, outputs }) => [node_id, { outputs, stored: true }] as const);
  useAids.setState({ pins: Object.fromEntries([...own, ...theirs]) });
}

function put(id: string, item: Pin | null): void {
  const { [id]: _, ...others } = useAids.getState().pins;
  useAids.setState({ pins: item ? { ...others, [id]: item } : others });
}

const nameOf = (id: string): string => workflowNow().nodes.find((node) => node.id === id)?.name ?? id;

/** What a step gave in a run, by port, as its connections carried it. */
async function outputsOf(jobId: string, nodeId: string): Promise<Outputs | null> {
  const { engine } = useSession.getState();
  const found: Outputs = {};
  try {
    for (const wire of workflowNow().connections.filter(({ source }) => source === nodeId)) {
      const answer = await engine?.request("request_connection_history", {
        job_id: jobId,
        connection_id: wire.id,
      });
      const last = answer?.history.at(-1);
      if (last) found[wire.source_port_name ?? "success"] = { data: last.data };
    }
  } catch (error) {
    tellError(error);
  }
  return Object.keys(found).length ? found : null;
}
