import { MoreHorizontal, Pencil, Play, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { FloworkError } from "@/api/errors";
import { useSession } from "@/app/session";
import { useTimes } from "@/app/times";
import type { PresetItem } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Menu } from "@/ui/menu";
import { tellError } from "@/ui/toasts";

interface Props {
  preset: PresetItem;
  onChanged(presets: PresetItem[]): void;
}

/** One saved workflow: open it, run it, delete it. */
export function PresetCard({ preset, onChanged }: Props) {
  const t = useT();
  const times = useTimes();
  const engine = useSession((state) => state.engine);
  const [, go] = useLocation();
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const place = `/designer/${encodeURIComponent(preset.name)}`;
  const actions = t("presets.actions", { name: preset.name });

  async function run() {
    setBusy(true);
    try {
      const jobId = crypto.randomUUID();
      await engine?.request("execute_workflow", { preset_name: preset.name, job_id: jobId });
      go(`/runs/${jobId}`);
    } catch (error) {
      tellError(error);
      setBusy(false);
    }
  }

  return (
    <li className="card preset-card">
      <div className="preset-head">
        <h3 className="grow">
          <Link href={place}>{preset.name}</Link>
        </h3>
        <Menu
          label={actions}
          trigger={
            <Button kind="quiet" size="icon" aria-label={actions}>
              <MoreHorizontal size={18} aria-hidden="true" />
            </Button>
          }
          items={[
            { label: t("presets.open"), icon: <Pencil size={16} />, onSelect: () => go(place) },
            {
              label: t("presets.delete"),
              icon: <Trash2 size={16} />,
              tone: "bad",
              onSelect: () => setAsking(true),
            },
          ]}
        />
      </div>
      <div className="row">
        <Badge>
          {t(preset.version === 1 ? "presets.version" : "presets.versions", { count: preset.version })}
        </Badge>
        {!preset.intact && <Badge tone="bad">{t("presets.damaged")}</Badge>}
        <span className="muted">
          {t("presets.saved", { when: times.ago(Date.parse(preset.updated_at)) })}
        </span>
      </div>
      <div className="preset-foot">
        <Link href={place} className="button" data-size="small">
          {t("presets.open")}
        </Link>
        <Button size="small" busy={busy} disabled={!preset.intact} onClick={() => void run()}>
          {!busy && <Play size={14} aria-hidden="true" />}
          {t("presets.run")}
        </Button>
      </div>
      <Confirm
        open={asking}
        title={t("presets.deleteTitle", { name: preset.name })}
        action={t("presets.delete")}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          if (!engine) throw new FloworkError("ENGINE_UNAVAILABLE", t("engine.offText"));
          onChanged((await engine.request("delete_preset", { name: preset.name })).presets);
        }}
      >
        <p>{t("presets.deleteText")}</p>
      </Confirm>
    </li>
  );
}
