import { type FormEvent, useState } from "react";
import { Link } from "wouter";
import { FloworkError, sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import type { RunReplay } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { SelectField, TextField } from "@/ui/field";
import { REPLAYED, replayOf, SPANS, type Wanted, wantedOf } from "./replay";

interface Props {
  preset: string;
  status: string;
  presets: string[];
  onDone(): void;
  onClose(): void;
}

/** Does many runs again; what would be done is shown before anything is. */
export function ReplayDialog({ preset, status, presets, onDone, onClose }: Props) {
  const t = useT();
  const engine = useSession((state) => state.engine);
  const [wanted, setWanted] = useState<Wanted>(() => wantedOf(status, preset));
  const [looked, setLooked] = useState<{ at: number; answer: RunReplay } | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const answer = looked?.answer;
  const done = answer?.dry_run === false;
  const change = (part: Partial<Wanted>) => {
    setWanted((before) => ({ ...before, ...part }));
    setLooked(null);
  };

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      if (!engine) throw new FloworkError("ENGINE_UNAVAILABLE", t("engine.offText"));
      const at = looked?.at ?? Date.now();
      const found = await engine.request("replay_runs", replayOf(wanted, at, looked === null));
      setLooked({ at, answer: found });
      if (looked) onDone();
    } catch (error) {
      setProblem(sentenceOf(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <Dialog open onClose={onClose} title={t("runs.replay")} about={t("runs.replayText")}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        {!done && <Filters wanted={wanted} presets={presets} onChange={change} />}
        {problem && <Notice tone="bad">{problem}</Notice>}
        {answer && <Found answer={answer} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>{t(done ? "common.close" : "common.cancel")}</Button>
          {!done && (
            <Button kind="primary" type="submit" busy={busy} disabled={answer?.startable === 0}>
              {answer ? t("runs.replayNow", { count: answer.startable }) : t("runs.replayLook")}
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  );
}

interface FilterProps {
  wanted: Wanted;
  presets: string[];
  onChange(part: Partial<Wanted>): void;
}

function Filters({ wanted, presets, onChange }: FilterProps) {
  const t = useT();
  return (
    <>
      <div className="replay-pair">
        <SelectField
          label={t("runs.status")}
          value={wanted.status}
          options={REPLAYED.map((value) => ({ value, label: t(`runs.${value}`) }))}
          onChange={(status) => onChange({ status: status as Wanted["status"] })}
        />
        <SelectField
          label={t("runs.preset")}
          value={wanted.preset}
          options={[
            { value: "", label: t("runs.anyPreset") },
            ...presets.map((name) => ({ value: name, label: name })),
          ]}
          onChange={(preset) => onChange({ preset })}
        />
        <SelectField
          label={t("runs.span")}
          value={String(wanted.hours)}
          options={SPANS.map((hours) => ({
            value: String(hours),
            label: hours ? t("runs.spanHours", { count: hours }) : t("runs.spanAll"),
          }))}
          onChange={(hours) => onChange({ hours: Number(hours) })}
        />
        <SelectField
          label={t("runs.whichVersion")}
          value={wanted.version}
          options={[
            { value: "newest", label: t("runs.versionNewest") },
            { value: "same", label: t("runs.versionSame") },
          ]}
          onChange={(version) => onChange({ version: version as Wanted["version"] })}
        />
      </div>
      {wanted.status !== "SUCCEEDED" && (
        <div className="replay-pair">
          <SelectField
            label={t("runs.startFrom")}
            value={wanted.from}
            options={[
              { value: "start", label: t("runs.fromStart") },
              { value: "failed", label: t("runs.fromFailed") },
            ]}
            onChange={(from) => onChange({ from: from as Wanted["from"] })}
          />
          <TextField
            label={t("runs.errorContains")}
            maxLength={500}
            value={wanted.error}
            onChange={(event) => onChange({ error: event.target.value })}
          />
        </div>
      )}
    </>
  );
}

function Found({ answer }: { answer: RunReplay }) {
  const t = useT();
  const counts = { found: answer.matched, start: answer.startable, refused: answer.refused };
  return (
    <>
      <Notice tone={answer.matched ? "info" : "warn"}>
        {t(answer.dry_run ? "runs.replayWould" : "runs.replayDone", counts)}
      </Notice>
      {answer.runs.length > 0 && (
        <ul className="plain-list replay-list">
          {answer.runs.map((run) => (
            <li key={run.job_id}>
              <Link href={`/runs/${encodeURIComponent(run.new_job_id ?? run.job_id)}`} className="mono">
                {(run.new_job_id ?? run.job_id).slice(0, 8)}
              </Link>
              <span>{t(`runs.outcome.${run.outcome}`)}</span>
              {run.reason && <span className="muted">{run.reason}</span>}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
