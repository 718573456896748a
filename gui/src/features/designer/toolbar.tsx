import { useReactFlow } from "@xyflow/react";
import {
  ChevronDown,
  FilePlus,
  FolderOpen,
  HelpCircle,
  History,
  List,
  MoreHorizontal,
  PanelLeft,
  Pause,
  Play,
  Redo2,
  Save,
  ScrollText,
  Square,
  Undo2,
} from "lucide-react";
import { useLocation } from "wouter";
import { spanText } from "@/features/run/run-state";
import { useT, type Word } from "@/i18n/words";
import { Badge, type Tone } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Menu } from "@/ui/menu";
import { tell } from "@/ui/toasts";
import { HeldButtons } from "./debug/held";
import { useChanged, useDocument } from "./document/store";
import { NO_WORKFLOW } from "./document/workflow";
import { COMMANDS } from "./keys/commands";
import { useProblems } from "./run/problems";
import { isActive, useRun } from "./run/store";
import { save, useSave } from "./save/save";
import { ShareButton } from "./save/share-button";
import { People } from "./together/people";
import { useView } from "./view";

const TONES: Record<string, Tone> = { SUCCEEDED: "good", FAILED: "bad", STOPPED: "warn", PAUSED: "warn" };
const icon = { size: 16, "aria-hidden": true } as const;

/** The bar above the canvas: what this is, whether it is saved, and the run. */
export function Toolbar() {
  const t = useT();
  const { preset, version, history, undo, redo } = useDocument();
  const changed = useChanged();
  const { palette, list, log, show } = useView();
  const saving = useSave((state) => state.busy);
  return (
    <header className="designer-bar">
      <Toggle on={palette} label={t("command.palette")} onClick={() => show({ palette: !palette })}>
        <PanelLeft {...icon} />
      </Toggle>
      <span className="designer-title">
        <strong>{preset ?? t("designer.untitled")}</strong>
        <span className="field-hint">
          {version !== null && `v${version} `}
          {changed && t("designer.changed")}
        </span>
      </span>
      <Button
        kind="quiet"
        size="icon"
        aria-label={t("command.undo")}
        disabled={!history.past.length}
        onClick={undo}
      >
        <Undo2 {...icon} />
      </Button>
      <Button
        kind="quiet"
        size="icon"
        aria-label={t("command.redo")}
        disabled={!history.future.length}
        onClick={redo}
      >
        <Redo2 {...icon} />
      </Button>
      <Button size="small" busy={saving} disabled={!changed} onClick={() => void save()}>
        <Save {...icon} />
        {t("command.save")}
      </Button>
      <ShareButton />
      <More />
      <span className="shell-fill" />
      <People />
      <ProblemCount />
      <RunState />
      <Answer />
      <HeldButtons />
      <RunButtons />
      <Toggle on={list} label={t("command.list")} onClick={() => show({ list: !list })}>
        <List {...icon} />
      </Toggle>
      <Toggle on={log} label={t("command.log")} onClick={() => show({ log: !log })}>
        <ScrollText {...icon} />
      </Toggle>
      <Button kind="quiet" size="icon" aria-label={t("command.help")} onClick={() => show({ sheet: "help" })}>
        <HelpCircle {...icon} />
      </Button>
    </header>
  );
}

function Toggle(props: { on: boolean; label: string; onClick(): void; children: React.ReactNode }) {
  return (
    <Button
      kind="quiet"
      size="icon"
      aria-pressed={props.on}
      aria-label={props.label}
      title={props.label}
      onClick={props.onClick}
    >
      {props.children}
    </Button>
  );
}

function More() {
  const t = useT();
  const flow = useReactFlow();
  const [, go] = useLocation();
  const show = useView((state) => state.show);
  const run = (id: string) => () => COMMANDS.find((command) => command.id === id)?.run(flow);
  return (
    <Menu
      label={t("designer.more")}
      trigger={
        <Button kind="quiet" size="icon" aria-label={t("designer.more")}>
          <MoreHorizontal {...icon} />
        </Button>
      }
      items={[
        {
          label: t("designer.new"),
          icon: <FilePlus {...icon} />,
          onSelect: () => {
            const { preset, edit } = useDocument.getState();
            if (preset !== null) return go("/designer");
            edit(() => NO_WORKFLOW);
            useRun.getState().detach();
            tell(t("designer.emptied"));
          },
        },
        { label: t("designer.saveAs"), icon: <Save {...icon} />, onSelect: () => show({ sheet: "save" }) },
        { label: t("command.versions"), icon: <History {...icon} />, onSelect: run("versions") },
        { label: t("command.import"), icon: <FolderOpen {...icon} />, onSelect: run("import") },
        { label: t("command.export"), onSelect: run("export") },
        { label: t("command.tidy"), onSelect: run("tidy") },
        { label: t("command.note"), onSelect: run("note") },
        { label: t("command.find"), onSelect: run("find") },
      ]}
    />
  );
}

function ProblemCount() {
  const t = useT();
  const problems = useProblems((state) => state.problems);
  const first = problems[0];
  if (!first) return null;
  const go = () => first.node_id && useDocument.getState().openNode(first.node_id);
  return (
    <button type="button" className="designer-problems" title={first.problem} onClick={go}>
      <Badge tone="warn">{t("designer.problems", { count: problems.length })}</Badge>
    </button>
  );
}

/** A question that was put away is one click off. */
function Answer() {
  const t = useT();
  const asked = useRun((state) => (state.run?.approvals.length ?? 0) > 0);
  if (!asked) return null;
  return (
    <Button size="small" onClick={() => useRun.getState().reopen()}>
      {t("approval.answer")}
    </Button>
  );
}

function RunState() {
  const t = useT();
  const [, go] = useLocation();
  const { run, jobId } = useRun();
  if (!jobId || !run) return null;
  const span = run.startedAt && run.endedAt ? ` · ${spanText(run.endedAt - run.startedAt)}` : "";
  return (
    <button
      type="button"
      className="designer-problems"
      onClick={() => go(`/runs/${jobId}`)}
      aria-label={t("designer.openRun")}
    >
      <span data-testid="run-status">
        <Badge tone={TONES[run.status] ?? "info"}>
          {t(`status.${run.status}` as Word)}
          {span}
        </Badge>
      </span>
    </button>
  );
}

function RunButtons() {
  const t = useT();
  const flow = useReactFlow();
  const { run, jobId, busy, start, steer } = useRun();
  const empty = useDocument((state) => state.history.present.nodes.length === 0);
  if (isActive(run, jobId)) {
    const paused = run?.status === "PAUSED";
    return (
      <>
        <Button
          size="small"
          disabled={busy}
          onClick={() => void steer(paused ? "resume_workflow" : "pause_workflow")}
        >
          {paused ? <Play {...icon} /> : <Pause {...icon} />}
          {t(paused ? "command.resume" : "command.pause")}
        </Button>
        <Button size="small" kind="danger" disabled={busy} onClick={() => void steer("stop_workflow")}>
          <Square {...icon} />
          {t("command.stop")}
        </Button>
      </>
    );
  }
  const item = (id: string, word: Word) => ({
    label: t(word),
    onSelect: () => COMMANDS.find((command) => command.id === id)?.run(flow),
  });
  return (
    <span className="designer-run">
      <Button size="small" kind="primary" busy={busy} disabled={empty} onClick={() => void start("EXECUTE")}>
        <Play {...icon} />
        {t("command.run")}
      </Button>
      <Menu
        label={t("designer.runMenu")}
        trigger={
          <Button size="small" kind="primary" disabled={empty} aria-label={t("designer.runMenu")}>
            <ChevronDown {...icon} />
          </Button>
        }
        items={[item("simulate", "command.simulate"), item("runHere", "command.runHere")]}
      />
    </span>
  );
}
