import { useEffect, useState } from "react";
import { create } from "zustand";
import { FloworkError, sentenceOf } from "@/api/errors";
import { useEngineOnline } from "@/app/live";
import { useSession } from "@/app/session";
import type { EngineClient } from "@/engine/client";
import { useT } from "@/i18n/words";
import { useAids } from "../debug/aids";
import { useDocument, useWorkflow } from "../document/store";
import { useRun } from "../run/store";
import { isAsked, type PreviewWish, type Reading, readingOf, wishOf } from "./preview-wish";

const QUIET_MS = 400;

/** Below a field of the open step: what its expression gives with the newest data. */
export function Preview({ field, value }: { field: string; value: unknown }) {
  const open = useDocument((state) => state.open);
  return open !== null && isAsked(value) ? <Result nodeId={open} field={field} text={value} /> : null;
}

function Result({ nodeId, field, text }: { nodeId: string; field: string; text: string }) {
  const t = useT();
  const reading = useReading(nodeId, field, text);
  if (!reading) return null;
  if (reading.tone === "problem") return <output className="preview preview-problem">{reading.text}</output>;
  if (reading.tone === "hint") return <output className="preview">{t(`preview.${reading.word}`)}</output>;
  return (
    <output className="preview">
      <span className="preview-label">{t("preview.gives")}</span>{" "}
      {reading.tone === "value" ? <code>{reading.text}</code> : <em>{t(`preview.${reading.tone}`)}</em>}
      {reading.tone === "value" && reading.cut && <small> {t("preview.cut")}</small>}
      {reading.noData && <small className="preview-more">{t("preview.noData")}</small>}
    </output>
  );
}

/** Ask a moment after the last change; what was asked before is shown until the answer comes. */
function useReading(nodeId: string, field: string, text: string): Reading | null {
  const workflow = useWorkflow();
  const pins = useAids((state) => state.pins);
  const engine = useSession((state) => state.engine);
  // a visitor of a share link may not ask, and a wallet that asks its owner each time is not troubled by this
  const silent = useSession((state) => state.visitor !== null || (state.signer?.asks ?? false));
  const online = useEngineOnline();
  const status = useRun((state) => state.run?.status);
  const jobId = useNewestRun(silent || !online ? null : engine);
  const [reading, setReading] = useState<Reading | null>(null);
  const wish = JSON.stringify(wishOf(workflow, nodeId, { text, field, jobId: jobId ?? null }, pins));
  // a run that ended has brought data
  useEffect(() => {
    if (!engine || silent || !online || jobId === undefined) return;
    let left = false;
    const tell = (next: Reading | null) => !left && setReading(next);
    const timer = setTimeout(() => {
      engine.request("preview_expression", JSON.parse(wish) as PreviewWish).then(
        (answer) => tell(readingOf(answer)),
        (error: unknown) => tell(saidOf(error)),
      );
    }, QUIET_MS);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [engine, silent, online, jobId, wish, status]);
  return online ? reading : null;
}

/** What went wrong in words; an engine that does not know the question, or is gone, is not worth one. */
function saidOf(error: unknown): Reading | null {
  const code = error instanceof FloworkError ? error.code : null;
  if (code === "UNKNOWN_COMMAND" || code === "ENGINE_UNAVAILABLE" || code === "NOT_FOUND") return null;
  return { tone: "problem", text: sentenceOf(error) };
}

/** The newest run of a preset on an engine: asked once for all the fields of a panel. */
const useNewest = create<{ about: string; jobId: string | null | undefined }>(() => ({
  about: "",
  jobId: undefined,
}));

/** The run on the canvas, else the newest of the preset; undefined until that is known. */
function useNewestRun(engine: EngineClient | null): string | null | undefined {
  const shown = useRun((state) => state.jobId);
  const { preset, open } = useDocument();
  const wanted = engine && shown === null && preset !== null ? `${engine.engineId} ${open} ${preset}` : "";
  const found = useNewest((state) => (state.about === wanted ? state.jobId : undefined));
  useEffect(() => {
    if (!engine || !wanted || preset === null || useNewest.getState().about === wanted) return;
    const tell = (jobId: string | null) =>
      useNewest.getState().about === wanted && useNewest.setState({ jobId });
    useNewest.setState({ about: wanted, jobId: undefined });
    engine.request("list_runs", { preset_name: preset, limit: 1 }).then(
      ({ runs }) => tell(runs[0]?.job_id ?? null),
      () => tell(null), // without a run it is worked out with what is pinned
    );
  }, [engine, preset, wanted]);
  return shown ?? (preset === null ? null : found);
}
