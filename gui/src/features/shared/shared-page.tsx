import { Link2Off, Play, Save, Square } from "lucide-react";
import { useEffect, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { Loading } from "@/app/need-engine";
import { useSession } from "@/app/session";
import { useTimes } from "@/app/times";
import type { ResolvedLink } from "@/contract/contract.gen";
import { shortAddress } from "@/crypto/address";
import { useChanged } from "@/features/designer/document/store";
import { isActive, useRun } from "@/features/designer/run/store";
import { save } from "@/features/designer/save/save";
import { LanguageField, ThemeField } from "@/features/identity/preferences";
import { useT } from "@/i18n/words";
import { Badge, Empty, Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { tellError } from "@/ui/toasts";
import { SharedRun } from "./shared-run";
import { SharedWorkflow } from "./shared-workflow";
import { useVisit } from "./visit";
import "./shared.css";

/** What a stranger sees who follows a share link: one workflow, and what the link allows with it. */
export default function SharedPage({ token }: { token: string }) {
  const t = useT();
  const { link, resolve, leave } = useVisit();
  const [problem, setProblem] = useState("");
  useEffect(() => {
    setProblem("");
    resolve(token).catch((error: unknown) => setProblem(sentenceOf(error)));
    return leave;
  }, [token, resolve, leave]);
  const name = link?.preset_name;
  useEffect(() => {
    document.title = name ? `${name} · Flowork` : "Flowork";
  }, [name]);
  return (
    <div className="shared">
      <header className="shared-bar">
        <img src="/icon.svg" alt="" width="24" height="24" />
        <strong>Flowork</strong>
        <span className="grow" />
        <div className="shared-preferences">
          <LanguageField />
          <ThemeField />
        </div>
      </header>
      <main
        className="page shared-page"
        id="content"
        data-edits={link?.permission_level === "view-edit-run" || undefined}
      >
        {problem ? (
          <Empty icon={<Link2Off size={32} aria-hidden="true" />} title={t("shared.nowhere")}>
            <p>{problem}</p>
            <p>{t("shared.nowhereText")}</p>
          </Empty>
        ) : link ? (
          <Visit link={link} />
        ) : (
          <Loading />
        )}
      </main>
    </div>
  );
}

function Visit({ link }: { link: ResolvedLink }) {
  const t = useT();
  const times = useTimes();
  const load = useVisit((state) => state.load);
  const connected = useSession((state) => state.connected);
  const [state, setState] = useState<"loading" | "there" | { problem: string }>("loading");
  const [tries, setTries] = useState(0);
  const again = () => {
    setState("loading");
    setTries(tries + 1);
  };
  useEffect(() => {
    if (!connected || state === "there") return;
    load().then(
      () => setState("there"),
      (error: unknown) => setState({ problem: sentenceOf(error) }),
    );
  }, [connected, load, state === "there", tries]);
  const level = link.permission_level;
  return (
    <>
      <div className="page-head">
        <div>
          <h1>{link.preset_name}</h1>
          <p className="shared-facts">
            {link.workflow_name !== link.preset_name && <span>{link.workflow_name}</span>}
            <span>{t("sharing.by", { name: link.owner_username ?? shortAddress(link.owner_id) })}</span>
            <Badge tone="info">{t("shared.allows", { what: t(`sharing.level.${level}`) })}</Badge>
            {link.expires_at && (
              <span>{t("sharing.until", { when: times.date(Date.parse(link.expires_at)) })}</span>
            )}
            {!connected && <output className="badge">{t("shell.reconnecting")}</output>}
          </p>
        </div>
        {state === "there" && level !== "view" && <Actions edits={level === "view-edit-run"} />}
      </div>
      {state === "loading" && <Loading />}
      {typeof state === "object" && (
        <Notice tone="bad">
          <span className="grow">{state.problem}</span>
          <Button size="small" onClick={again}>
            {t("common.again")}
          </Button>
        </Notice>
      )}
      {state === "there" && <SharedWorkflow edits={level === "view-edit-run"} />}
      {state === "there" && level !== "view" && <SharedRun />}
    </>
  );
}

function Actions({ edits }: { edits: boolean }) {
  const t = useT();
  const run = useVisit((state) => state.run);
  const { run: state, jobId, steer } = useRun();
  const changed = useChanged();
  const [busy, setBusy] = useState(false);
  const active = isActive(state, jobId);
  async function act(action: () => Promise<unknown>) {
    setBusy(true);
    try {
      await action();
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  }
  return (
    <div className="row">
      {edits && (
        <Button disabled={!changed || busy} onClick={() => void act(save)}>
          <Save size={16} aria-hidden="true" />
          {t("common.save")}
        </Button>
      )}
      {active ? (
        <Button kind="danger" disabled={busy} onClick={() => void act(() => steer("stop_workflow"))}>
          <Square size={16} aria-hidden="true" />
          {t("command.stop")}
        </Button>
      ) : (
        <Button kind="primary" busy={busy} disabled={changed} onClick={() => void act(run)}>
          <Play size={16} aria-hidden="true" />
          {t("presets.run")}
        </Button>
      )}
    </div>
  );
}
