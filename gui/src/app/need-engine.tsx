import { PlugZap, RefreshCw, Server } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { useT } from "@/i18n/words";
import { Empty, Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { type Live, useEngineOnline } from "./live";
import { useSession } from "./session";

/** Shows a screen of the chosen engine; says what to do where there is none, or where it is off. */
export function NeedEngine({ children }: { children: ReactNode }) {
  const t = useT();
  const engineId = useSession((state) => state.engineId);
  const engines = useSession((state) => state.engines);
  const online = useEngineOnline();
  const [seen, setSeen] = useState<string | null>(null);
  if (online && seen !== engineId) setSeen(engineId);
  const reachable = useSession(({ connected, way }) => connected || way === "direct");
  // what somebody is in the middle of typing stays where the engine goes away for a moment
  if (engineId && (online || seen === engineId)) {
    return (
      <>
        {!online && <Notice tone="warn">{t("engine.offText")}</Notice>}
        {children}
      </>
    );
  }
  if (engineId ? !reachable : engines === null) return <Loading />;
  const icon = engineId ? <PlugZap size={32} aria-hidden="true" /> : <Server size={32} aria-hidden="true" />;
  return (
    <Empty icon={icon} title={t(engineId ? "engine.offTitle" : "engines.empty")}>
      <p>{t(engineId ? "engine.offText" : "engines.emptyText")}</p>
      <Link href="/engines" className="button">
        {t("engine.toEngines")}
      </Link>
    </Empty>
  );
}

export function Loading() {
  const t = useT();
  return (
    <div className="loading">
      <output className="spinner" aria-label={t("common.loading")} />
    </div>
  );
}

/** A list that was loaded, or what there is to say where nothing is in it. */
export function Listed<Item>(props: {
  live: Live<Item[]>;
  empty: ReactNode;
  children(items: Item[]): ReactNode;
}) {
  const { live, empty, children } = props;
  return <Loaded live={live}>{(items) => (items.length ? children(items) : empty)}</Loaded>;
}

/** What was loaded, or that it is under way, or why it is not there and how to try again. */
export function Loaded<Value>({ live, children }: { live: Live<Value>; children(value: Value): ReactNode }) {
  const t = useT();
  return (
    <>
      {live.problem && (
        <Notice tone="bad">
          <span className="grow">{live.problem}</span>
          <Button size="small" busy={live.busy} onClick={live.reload}>
            <RefreshCw size={14} aria-hidden="true" />
            {t("common.again")}
          </Button>
        </Notice>
      )}
      {live.value === null ? !live.problem && <Loading /> : children(live.value)}
    </>
  );
}
