import { History, RefreshCw, RotateCw } from "lucide-react";
import { useState } from "react";
import { useLive } from "@/app/live";
import { Loaded, NeedEngine } from "@/app/need-engine";
import { useSession } from "@/app/session";
import type { RunStatus, RunSummary } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Empty } from "@/ui/badge";
import { Button } from "@/ui/button";
import { SelectField } from "@/ui/field";
import { tellError } from "@/ui/toasts";
import { ReplayDialog } from "./replay-dialog";
import { RUN_STATUSES, wordOfStatus } from "./run-status";
import { RunTable } from "./run-table";
import "./runs.css";

const PAGE = 50;
const REFRESH_MS = 4000;

/** The runs of the engine, newest first. */
export default function Runs() {
  const t = useT();
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{t("runs.title")}</h1>
          <p>{t("runs.about")}</p>
        </div>
      </div>
      <NeedEngine>
        <RunList />
      </NeedEngine>
    </div>
  );
}

function RunList() {
  const t = useT();
  const engineId = useSession((state) => state.engineId);
  const engine = useSession((state) => state.engine);
  const [status, setStatus] = useState("");
  const [preset, setPreset] = useState("");
  const [older, setOlder] = useState<{ key: string; runs: RunSummary[]; more: boolean } | null>(null);
  const [replaying, setReplaying] = useState(false);
  const key = JSON.stringify([engineId, status, preset]);

  async function load(before: number | null): Promise<RunSummary[]> {
    const wanted = (status || null) as RunStatus | null;
    const reply = await engine?.request("list_runs", {
      status: wanted,
      preset_name: preset || null,
      before,
      limit: PAGE,
    });
    return reply?.runs ?? [];
  }

  const presets = useLive(
    async () => (await engine?.request("request_presets_list", {}))?.presets ?? [],
    [engineId],
  );
  const live = useLive(() => load(null), [engineId, status, preset], REFRESH_MS);
  const rest = older?.key === key ? older : null;

  async function loadOlder(shown: RunSummary[]) {
    try {
      const found = await load(shown.at(-1)?.started_at ?? null);
      setOlder({ key, runs: [...(rest?.runs ?? []), ...found], more: found.length === PAGE });
    } catch (error) {
      tellError(error);
    }
  }

  return (
    <>
      <div className="run-filters">
        <SelectField
          label={t("runs.status")}
          value={status}
          options={[
            { value: "", label: t("runs.anyStatus") },
            ...RUN_STATUSES.map((value) => ({ value, label: t(wordOfStatus(value)) })),
          ]}
          onChange={setStatus}
        />
        <SelectField
          label={t("runs.preset")}
          value={preset}
          options={[
            { value: "", label: t("runs.anyPreset") },
            ...(presets.value ?? []).map(({ name }) => ({ value: name, label: name })),
          ]}
          onChange={setPreset}
        />
        <Button
          aria-label={t("common.refresh")}
          title={t("common.refresh")}
          size="icon"
          onClick={live.reload}
        >
          <RefreshCw size={16} aria-hidden="true" />
        </Button>
        <Button className="button run-replay" onClick={() => setReplaying(true)}>
          <RotateCw size={16} aria-hidden="true" />
          {t("runs.replay")}
        </Button>
      </div>
      {replaying && (
        <ReplayDialog
          preset={preset}
          status={status}
          presets={(presets.value ?? []).map(({ name }) => name)}
          onDone={live.reload}
          onClose={() => setReplaying(false)}
        />
      )}
      <Loaded live={live}>
        {(newest) => {
          const known = new Set(newest.map((run) => run.job_id));
          const runs = [...newest, ...(rest?.runs ?? []).filter((run) => !known.has(run.job_id))];
          const more = rest ? rest.more : newest.length === PAGE;
          if (runs.length === 0) return <NoRuns filtered={Boolean(status || preset)} />;
          return (
            <>
              <RunTable runs={runs} />
              {more && (
                <div className="row">
                  <Button onClick={() => void loadOlder(runs)}>{t("runs.older")}</Button>
                </div>
              )}
            </>
          );
        }}
      </Loaded>
    </>
  );
}

function NoRuns({ filtered }: { filtered: boolean }) {
  const t = useT();
  return (
    <Empty
      icon={<History size={32} aria-hidden="true" />}
      title={t(filtered ? "runs.noneFound" : "runs.none")}
    >
      <p>{t(filtered ? "runs.noneFoundText" : "runs.noneText")}</p>
    </Empty>
  );
}
