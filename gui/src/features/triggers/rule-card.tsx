import {
  AlarmClock,
  Cpu,
  FileClock,
  Hand,
  MoreHorizontal,
  Pencil,
  Play,
  Radio,
  Trash2,
  Webhook,
  Workflow,
} from "lucide-react";
import { type ComponentType, useState } from "react";
import { Link, useLocation } from "wouter";
import { FloworkError } from "@/api/errors";
import { useSession } from "@/app/session";
import { useTimes } from "@/app/times";
import type { TriggerItem } from "@/contract/contract.gen";
import { useT, type Word } from "@/i18n/words";
import { Badge, Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Menu } from "@/ui/menu";
import { SwitchField } from "@/ui/switch";
import { tell, tellError } from "@/ui/toasts";
import { Firings } from "./firings";
import { HookAddress } from "./hook-address";
import { alarmsOf } from "./rules";

const ICONS: Record<string, ComponentType<{ size?: number; "aria-hidden"?: "true" }>> = {
  cron: AlarmClock,
  webhook: Webhook,
  file_system: FileClock,
  process: Cpu,
  event_bus: Radio,
  run_finished: Workflow,
  manual: Hand,
};

interface Props {
  rule: TriggerItem;
  onEdit(): void;
  onChanged(): void;
}

/** One rule: what fires it, whether it is on, what became of its events. */
export function RuleCard({ rule, onEdit, onChanged }: Props) {
  const t = useT();
  const engine = useSession((state) => state.engine);
  const [, go] = useLocation();
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const name = rule.name || t(`triggers.kind.${rule.kind}` as Word);
  const Icon = ICONS[rule.kind] ?? AlarmClock;
  const actions = t("triggers.actions", { name });
  const designer = `/designer/${encodeURIComponent(rule.preset_name)}`;

  async function act(action: () => Promise<unknown> | undefined) {
    setBusy(true);
    try {
      await action();
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
      onChanged();
    }
  }
  const toggle = (on: boolean) =>
    act(() => engine?.request(on ? "enable_trigger" : "disable_trigger", { rule_id: rule.id }));
  const fire = () =>
    act(async () => {
      const fired = await engine?.request("fire_trigger", { rule_id: rule.id });
      if (fired?.run_id) go(`/runs/${encodeURIComponent(fired.run_id)}`);
      else if (fired) tell(t(`triggers.outcome.${fired.outcome}`));
    });

  return (
    <li className="card trigger-card" data-enabled={rule.enabled}>
      <div className="trigger-head">
        <Icon size={20} aria-hidden="true" />
        <div className="grow">
          <h2>{name}</h2>
          <p className="muted">
            <Link href={designer}>{rule.preset_name}</Link> · {t(`triggers.kind.${rule.kind}` as Word)}
            {rule.mode === "SIMULATE" && ` · ${t("runs.simulated")}`}
          </p>
        </div>
        <SwitchField
          label={<span className="visually-hidden">{t("triggers.enabledNamed", { name })}</span>}
          checked={rule.enabled}
          disabled={busy}
          onChange={(on) => void toggle(on)}
        />
        <Menu
          label={actions}
          trigger={
            <Button kind="quiet" size="icon" aria-label={actions}>
              <MoreHorizontal size={18} aria-hidden="true" />
            </Button>
          }
          items={[
            { label: t("triggers.fire"), icon: <Play size={16} />, onSelect: () => void fire() },
            rule.node_id
              ? { label: t("triggers.inWorkflow"), icon: <Pencil size={16} />, onSelect: () => go(designer) }
              : { label: t("triggers.edit"), icon: <Pencil size={16} />, onSelect: onEdit },
            ...(rule.node_id
              ? []
              : [
                  {
                    label: t("triggers.delete"),
                    icon: <Trash2 size={16} />,
                    tone: "bad" as const,
                    onSelect: () => setAsking(true),
                  },
                ]),
          ]}
        />
      </div>
      {rule.enabled && rule.blocked && <Notice tone="bad">{rule.blocked}</Notice>}
      <Facts rule={rule} />
      {rule.kind === "webhook" && <HookAddress rule={rule} />}
      <Firings rule={rule} />
      <Confirm
        open={asking}
        title={t("triggers.deleteTitle", { name })}
        action={t("triggers.delete")}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          if (!engine) throw new FloworkError("ENGINE_UNAVAILABLE", t("engine.offText"));
          await engine.request("delete_trigger", { rule_id: rule.id });
          onChanged();
        }}
      >
        <p>{t("triggers.deleteText")}</p>
      </Confirm>
    </li>
  );
}

function Facts({ rule }: { rule: TriggerItem }) {
  const t = useT();
  const times = useTimes();
  const { config, counts } = rule;
  const what =
    config.cron_string || config.path_to_watch || config.event_name_to_listen || config.process_name || "";
  const every = typeof config.interval_seconds === "number" ? config.interval_seconds : 0;
  return (
    <div className="trigger-facts">
      {what !== "" && <code>{String(what)}</code>}
      {every > 0 && <span>{t("triggers.everySeconds", { count: every })}</span>}
      {rule.kind === "cron" && config.cron_string !== "" && (
        <span className="muted">{String(config.timezone ?? "UTC")}</span>
      )}
      {rule.enabled && rule.next_run_time !== null && (
        <span>
          {t("triggers.next")}{" "}
          <time dateTime={new Date(rule.next_run_time).toISOString()} title={times.date(rule.next_run_time)}>
            {times.ago(rule.next_run_time)}
          </time>
        </span>
      )}
      {rule.running > 0 && <Badge tone="info">{t("triggers.running", { count: rule.running })}</Badge>}
      {rule.waiting > 0 && <Badge>{t("triggers.waiting", { count: rule.waiting })}</Badge>}
      {alarmsOf(rule).map((alarm) =>
        alarm === "blocked" ? null : (
          <Badge key={alarm} tone={alarm === "failed" ? "bad" : "warn"}>
            {t(`triggers.count.${alarm}` as Word, { count: counts[alarm] ?? 0 })}
          </Badge>
        ),
      )}
      {(counts.started ?? 0) > 0 && (
        <span className="muted">{t("triggers.count.started", { count: counts.started ?? 0 })}</span>
      )}
    </div>
  );
}
