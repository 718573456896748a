import { AlarmClock, Plus } from "lucide-react";
import { useState } from "react";
import { useLive } from "@/app/live";
import { Loaded, NeedEngine } from "@/app/need-engine";
import { useSession } from "@/app/session";
import { useTimes } from "@/app/times";
import type { PlannedStart, TriggerItem } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Empty } from "@/ui/badge";
import { Button } from "@/ui/button";
import { RuleCard } from "./rule-card";
import { RuleDialog } from "./rule-dialog";
import "./triggers.css";

const REFRESH_MS = 5000;
const COMING = 8;

/** What starts saved workflows by itself: schedules, webhooks, files, events. */
export default function Triggers() {
  const t = useT();
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{t("triggers.title")}</h1>
          <p>{t("triggers.about")}</p>
        </div>
      </div>
      <NeedEngine>
        <RuleList />
      </NeedEngine>
    </div>
  );
}

function RuleList() {
  const t = useT();
  const engineId = useSession((state) => state.engineId);
  const engine = useSession((state) => state.engine);
  const [edited, setEdited] = useState<TriggerItem | "new" | null>(null);
  const live = useLive(
    async () => {
      const [list, plan] = await Promise.all([
        engine?.request("list_triggers", {}),
        engine?.request("schedule_preview", { limit: COMING }),
      ]);
      return { rules: list?.rules ?? [], starts: plan?.starts ?? [] };
    },
    [engineId],
    REFRESH_MS,
  );
  const add = (
    <Button kind="primary" onClick={() => setEdited("new")}>
      <Plus size={16} aria-hidden="true" />
      {t("triggers.add")}
    </Button>
  );
  return (
    <Loaded live={live}>
      {({ rules, starts }) => (
        <>
          {rules.length === 0 ? (
            <Empty icon={<AlarmClock size={32} aria-hidden="true" />} title={t("triggers.none")}>
              <p>{t("triggers.noneText")}</p>
              {add}
            </Empty>
          ) : (
            <>
              <div className="row">{add}</div>
              <ul className="plain-list trigger-list" aria-label={t("triggers.title")}>
                {rules.map((rule) => (
                  <RuleCard
                    key={rule.id}
                    rule={rule}
                    onEdit={() => setEdited(rule)}
                    onChanged={live.reload}
                  />
                ))}
              </ul>
              <Coming starts={starts} />
            </>
          )}
          {edited && (
            <RuleDialog
              rule={edited === "new" ? null : edited}
              onSaved={live.reload}
              onClose={() => setEdited(null)}
            />
          )}
        </>
      )}
    </Loaded>
  );
}

/** What the clock starts next. */
function Coming({ starts }: { starts: PlannedStart[] }) {
  const t = useT();
  const times = useTimes();
  if (starts.length === 0) return null;
  return (
    <section className="card card-pad stack">
      <h2>{t("triggers.coming")}</h2>
      <ol className="plain-list trigger-coming">
        {starts.map((start) => (
          <li key={`${start.rule_id} ${start.due}`}>
            <time dateTime={new Date(start.due).toISOString()}>{times.date(start.due)}</time>
            <span className="grow">
              {start.preset_name} <span className="muted">{start.rule_name}</span>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
