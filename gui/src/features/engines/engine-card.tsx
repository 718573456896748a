import { ArrowRightLeft, Check, KeyRound, MoreHorizontal, Pencil, Plug, Trash2, Users } from "lucide-react";
import { useState } from "react";
import { useSession } from "@/app/session";
import { useTimes } from "@/app/times";
import type { Engine, SharedEngine } from "@/contract/contract.gen";
import { shortAddress } from "@/crypto/address";
import { GuestsDialog } from "@/features/sharing/guests-dialog";
import { useT } from "@/i18n/words";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { CopyButton } from "@/ui/copy";
import { Menu, type MenuItem } from "@/ui/menu";
import { tell } from "@/ui/toasts";
import { DirectDialog } from "./direct-dialog";
import { RenameDialog } from "./rename-dialog";
import { Sparkline } from "./sparkline";
import { TokenDialog } from "./token-dialog";
import { TransferDialog } from "./transfer-dialog";

type Open = "rename" | "direct" | "guests" | "transfer" | "reset" | "delete" | null;

interface Props {
  engine: Engine;
  /** How somebody else shares it; absent for an own engine. */
  shared?: SharedEngine;
}

/** One engine: is it there, how busy is it, and what can be done with it. */
export function EngineCard({ engine, shared }: Props) {
  const t = useT();
  const times = useTimes();
  const { states, engineId, way, choose, rest, loadEngines } = useSession();
  const [open, setOpen] = useState<Open>(null);
  const [token, setToken] = useState<string | null>(null);
  const state = states[engine.id];
  const online = state?.online ?? engine.status === "online";
  const inUse = engine.id === engineId;
  const close = () => setOpen(null);

  const items: MenuItem[] = [
    { label: t("engines.direct"), icon: <Plug size={16} />, onSelect: () => setOpen("direct") },
  ];
  if (!shared) {
    items.unshift(
      { label: t("engines.rename"), icon: <Pencil size={16} />, onSelect: () => setOpen("rename") },
      { label: t("sharing.menu"), icon: <Users size={16} />, onSelect: () => setOpen("guests") },
    );
    items.push(
      {
        label: t("engines.transfer"),
        icon: <ArrowRightLeft size={16} />,
        onSelect: () => setOpen("transfer"),
      },
      { label: t("engines.resetToken"), icon: <KeyRound size={16} />, onSelect: () => setOpen("reset") },
      {
        label: t("engines.delete"),
        icon: <Trash2 size={16} />,
        tone: "bad",
        onSelect: () => setOpen("delete"),
      },
    );
  }

  return (
    <li className="card engine-card" data-used={inUse}>
      <div className="engine-head">
        <span className="dot" data-on={online} aria-hidden="true" />
        <h2 className="grow">{engine.name}</h2>
        <Menu
          label={t("engines.actions", { name: engine.name })}
          trigger={
            <Button kind="quiet" size="icon" aria-label={t("engines.actions", { name: engine.name })}>
              <MoreHorizontal size={18} aria-hidden="true" />
            </Button>
          }
          items={items}
        />
      </div>
      <div className="row">
        <Badge tone={online ? "good" : "plain"}>{t(online ? "engine.online" : "engine.offline")}</Badge>
        {state?.vitals?.is_busy && <Badge tone="info">{t("engines.busy")}</Badge>}
        {inUse && online && way && (
          <Badge>{t(way === "direct" ? "engines.wayDirect" : "engines.wayRelay")}</Badge>
        )}
        {shared && (
          <>
            <Badge tone="info">{t(`sharing.role.${shared.role}`)}</Badge>
            <span className="muted">
              {t("sharing.by", { name: shared.owner.username ?? shortAddress(shared.owner.user_id) })}
            </span>
          </>
        )}
        {!online && !shared && (
          <span className="muted">
            {engine.last_seen
              ? t("engines.lastSeen", { when: times.ago(Date.parse(engine.last_seen)) })
              : t("engines.neverSeen")}
          </span>
        )}
      </div>
      {online && (
        <div className="engine-vitals">
          <Sparkline
            label={t("engines.cpu")}
            values={(state?.history ?? []).map((item) => item.cpu_percent)}
          />
          <Sparkline
            label={t("engines.memory")}
            values={(state?.history ?? []).map((item) => item.memory_percent)}
          />
        </div>
      )}
      <div className="engine-foot">
        <span className="mono muted engine-id">{engine.id}</span>
        <CopyButton text={engine.id} label={t("engines.id")} compact />
        <span className="grow" />
        {inUse ? (
          <span className="engine-used">
            <Check size={16} aria-hidden="true" />
            {t("engines.inUse")}
          </span>
        ) : (
          <Button size="small" onClick={() => choose(engine.id)}>
            {t("engines.use")}
          </Button>
        )}
      </div>
      {open === "rename" && <RenameDialog engine={engine} onClose={close} />}
      {open === "direct" && <DirectDialog engineId={engine.id} onClose={close} />}
      {open === "guests" && <GuestsDialog engine={engine} onClose={close} />}
      {open === "transfer" && <TransferDialog engine={engine} onClose={close} />}
      {token && <TokenDialog engineId={engine.id} token={token} onClose={() => setToken(null)} />}
      <Confirm
        open={open === "reset"}
        title={t("engines.resetTitle", { name: engine.name })}
        action={t("engines.resetToken")}
        onClose={close}
        onConfirm={async () => {
          const made = await rest.call("reset_engine_token", { path: { engine_id: engine.id } });
          setToken(made.token);
        }}
      >
        <p>{t("engines.resetText")}</p>
      </Confirm>
      <Confirm
        open={open === "delete"}
        title={t("engines.deleteTitle", { name: engine.name })}
        action={t("engines.delete")}
        onClose={close}
        onConfirm={async () => {
          await rest.call("delete_engine", { path: { engine_id: engine.id } });
          tell(t("engines.deleted", { name: engine.name }), "good");
          await loadEngines();
        }}
      >
        <p>{t("engines.deleteText")}</p>
      </Confirm>
    </li>
  );
}
