import { MoreHorizontal, Pencil, Play, Share2, Star, Store, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { FloworkError } from "@/api/errors";
import { useSession } from "@/app/session";
import { useTimes } from "@/app/times";
import type { PresetItem } from "@/contract/contract.gen";
import { PublishDialog } from "@/features/marketplace/publish-dialog";
import { ShareDialog } from "@/features/sharing/share-dialog";
import { useT } from "@/i18n/words";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Menu } from "@/ui/menu";
import { tellError } from "@/ui/toasts";
import { useFavouritePresets } from "./favourites";

interface Props {
  preset: PresetItem;
  onChanged(presets: PresetItem[]): void;
}

type Open = "share" | "publish" | "delete" | null;

/** One saved workflow: open it, run it, share it, delete it. */
export function PresetCard({ preset, onChanged }: Props) {
  const t = useT();
  const times = useTimes();
  const engine = useSession((state) => state.engine);
  const [, go] = useLocation();
  const owned = useSession(({ engines, engineId }) => engines?.some(({ id }) => id === engineId) ?? false);
  const liked = useFavouritePresets((state) => state.names.has(preset.name));
  const toggle = useFavouritePresets((state) => state.toggle);
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
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
        <Button
          kind="quiet"
          size="icon"
          aria-pressed={liked}
          aria-label={t("presets.favourite", { name: preset.name })}
          title={t("presets.favourite", { name: preset.name })}
          onClick={() => toggle(preset.name).catch(tellError)}
        >
          <Star size={18} aria-hidden="true" className="preset-star" />
        </Button>
        <Menu
          label={actions}
          trigger={
            <Button kind="quiet" size="icon" aria-label={actions}>
              <MoreHorizontal size={18} aria-hidden="true" />
            </Button>
          }
          items={[
            { label: t("presets.open"), icon: <Pencil size={16} />, onSelect: () => go(place) },
            ...(owned
              ? [
                  {
                    label: t("sharing.menu"),
                    icon: <Share2 size={16} />,
                    onSelect: () => setOpen("share"),
                  },
                ]
              : []),
            {
              label: t("market.publish"),
              icon: <Store size={16} />,
              onSelect: () => setOpen("publish"),
            },
            {
              label: t("presets.delete"),
              icon: <Trash2 size={16} />,
              tone: "bad",
              onSelect: () => setOpen("delete"),
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
      {open === "share" && <ShareDialog preset={preset.name} onClose={close} />}
      {open === "publish" && <PublishDialog preset={preset.name} onClose={close} />}
      <Confirm
        open={open === "delete"}
        title={t("presets.deleteTitle", { name: preset.name })}
        action={t("presets.delete")}
        onClose={close}
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
