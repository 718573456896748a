/** Has the preset on the canvas open with the engine: one is seen, sees the others, and gets what they save. */

import { useEffect } from "react";
import { FloworkError } from "@/api/errors";
import { useEngineOnline } from "@/app/live";
import { useSession } from "@/app/session";
import type { PresetChanged } from "@/contract/contract.gen";
import type { EngineClient } from "@/engine/client";
import { isFrameOf } from "@/engine/frames";
import { t } from "@/i18n/words";
import { tell, tellError } from "@/ui/toasts";
import { useDocument, workflowNow } from "../document/store";
import { NO_WORKFLOW } from "../document/workflow";
import { type Clash, isOpen } from "../save/merge";
import { fetchPreset, useSave } from "../save/save";
import { adopt } from "./adopt";
import { noteApart, noteClashes, noteCompany, noteNobody, useCompany } from "./company";
import { nameOf } from "./names";

/** What one chooses is told so often at most. */
const PACE_MS = 400;
/** Said again this often, in case the engine has lost it; the answer also tells of a version that was missed. */
const AGAIN_MS = 60_000;
const MOST_SELECTED = 50;
/** The engine takes no longer ids; a workflow of another origin may have some. */
const LONGEST_ID = 80;
/** This page, whichever way it goes to the engine. */
const SEAT = crypto.randomUUID();

/** Keep company at the preset on the canvas, as long as the engine can be reached. */
export function useTogether(): void {
  const engine = useSession((state) => state.engine);
  const way = useSession((state) => state.way);
  const connected = useSession((state) => state.connected);
  const asks = useSession((state) => state.signer?.asks ?? false);
  const online = useEngineOnline();
  const preset = useDocument((state) => state.preset);
  const visiting = useSession((state) => state.visitor !== null);
  const reachable = visiting ? connected : online;
  // what two had changed in one workflow is no question in another
  useEffect(() => () => noteClashes([], null), [preset]);
  // a new connection knows nothing of the old one's company, so its way is a reason to begin again
  useEffect(() => {
    if (!engine || !way || !reachable || preset === null) return;
    if (!asks) return keepCompany(engine, preset);
    // a wallet that asks its owner for each signature is not troubled by this
    noteApart("asks");
    return () => noteApart(null);
  }, [engine, way, reachable, preset, asks]);
}

/** Begin; returns how to stop. */
export function keepCompany(engine: EngineClient, preset: string): () => void {
  let left = false;
  let said = "";
  let timer: ReturnType<typeof setTimeout> | undefined;

  const say = async () => {
    clearTimeout(timer);
    timer = undefined;
    const selected = chosenNow();
    said = selected.join("\n");
    try {
      const answer = await engine.request("watch_preset", { preset, selected, seat: SEAT });
      if (left) return;
      noteApart(null);
      noteCompany(answer);
      if (answer.version) void catchUp(preset, { version: answer.version, author_id: null });
    } catch (error) {
      // Alone one works as well; it is said again later.
      if (!left && hasEnded(error)) noteApart("ended");
    }
  };
  const stopHearing = engine.listen((frame) => {
    if (isFrameOf(frame, "PRESET_COMPANY") && frame.preset === preset) noteCompany(frame);
    if (isFrameOf(frame, "PRESET_CHANGED") && frame.preset === preset) void catchUp(preset, frame);
  });
  const stopLooking = useDocument.subscribe((now, before) => {
    const moved = now.chosen !== before.chosen || now.open !== before.open;
    if (moved && timer === undefined && chosenNow().join("\n") !== said) {
      timer = setTimeout(() => void say(), PACE_MS);
    }
  });
  const again = setInterval(() => void say(), AGAIN_MS);
  void say();
  return () => {
    left = true;
    clearTimeout(timer);
    clearInterval(again);
    stopHearing();
    stopLooking();
    noteNobody();
    noteApart(null);
    // Where nobody hears it any more, the engine sees the connection end.
    engine.request("leave_preset", { preset }).catch(() => undefined);
  };
}

/** Whether the browser wallet's permission for this page is over, so that nothing can be signed without a prompt. */
const hasEnded = (error: unknown): boolean =>
  error instanceof FloworkError &&
  error.code === "STALE" &&
  useSession.getState().signer?.delegation !== undefined;

/** The step whose panel is open, else what is chosen. */
function chosenNow(): string[] {
  const { open, chosen } = useDocument.getState();
  return (open ? [open] : [...chosen]).filter((id) => id.length <= LONGEST_ID).slice(0, MOST_SELECTED);
}

type News = Pick<PresetChanged, "version" | "author_id">;
/** One after the other: each starts from what the one before has left. */
let turn: Promise<void> = Promise.resolve();

/** Take up what somebody saved, or say that it was deleted. */
export function catchUp(preset: string, news: News): Promise<void> {
  turn = turn.then(() => takeUp(preset, news)).catch(tellError);
  return turn;
}

async function takeUp(preset: string, { version, author_id }: News): Promise<void> {
  await saveIsOver();
  const { preset: shown, version: own } = useDocument.getState();
  if (shown !== preset) return;
  if (version === null) {
    if (own) {
      // based on no version: saving makes the preset anew
      useDocument.setState({ version: 0, saved: NO_WORKFLOW });
      tell(t("together.deleted", { name: preset }));
    }
    return;
  }
  if (own !== null && version <= own) return;
  const theirs = await fetchNewest(preset);
  const now = useDocument.getState();
  // meanwhile another workflow was opened, or the version came in another way
  if (theirs === null || now.preset !== preset || theirs.version <= (now.version ?? 0)) return;
  const before = useCompany.getState().clashes;
  const clashes = await adopt(theirs, (number) => fetchPreset(preset, number));
  if (useDocument.getState().version !== theirs.version) return;
  if (clashes.length) {
    noteClashes([...unsettled(before, clashes), ...clashes], { author: author_id, version: theirs.version });
    return; // these have a bar of their own
  }
  const who = author_id ? await nameOf(author_id) : t("together.somebody");
  tell(t("together.saved", { who, version: theirs.version }));
}

/** What was to be chosen before and still is, unless it clashes anew. */
function unsettled(before: readonly Clash[], now: readonly Clash[]): Clash[] {
  const places = new Set(now.map(placeOf));
  return before.filter((clash) => !places.has(placeOf(clash)) && isOpen(workflowNow(), clash));
}

const placeOf = ({ subject, id, path }: Clash): string => JSON.stringify([subject, id, ...path]);

/** The newest version; null where the preset is gone meanwhile, of which is told separately. */
async function fetchNewest(preset: string) {
  try {
    return await fetchPreset(preset);
  } catch (error) {
    if (error instanceof FloworkError && error.code === "NOT_FOUND") return null;
    throw error;
  }
}

/** A version that is just being saved here may be the one that we are told of. */
function saveIsOver(): Promise<void> {
  if (!useSave.getState().busy) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = useSave.subscribe(({ busy }) => {
      if (busy) return;
      stop();
      resolve();
    });
  });
}
