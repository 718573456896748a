import { type ReactFlowInstance, useReactFlow } from "@xyflow/react";
import { useLocation } from "wouter";
import { useSession } from "@/app/session";
import { useT, type Word } from "@/i18n/words";
import { Dialog } from "@/ui/dialog";
import { boxesOf, toggleCollapsed } from "../document/groups";
import { useDocument, useWorkflow, workflowNow } from "../document/store";
import type { WorkflowNode } from "../document/workflow";
import { type Choice, Chooser } from "../palette/chooser";
import { useView } from "../view";
import { COMMANDS, isOffered } from "./commands";
import { shownKeys } from "./keyboard";
import "./keys.css";

/** The help sheet, the command bar and the search. */
export function Sheets() {
  const t = useT();
  const { sheet, show } = useView();
  const close = () => show({ sheet: null });
  return (
    <>
      <Dialog open={sheet === "help"} onClose={close} title={t("command.help")}>
        <Help />
      </Dialog>
      <Dialog open={sheet === "commands"} onClose={close} title={t("command.commands")}>
        <CommandBar onDone={close} />
      </Dialog>
      <Dialog open={sheet === "find"} onClose={close} title={t("command.find")}>
        <Find onDone={close} />
      </Dialog>
    </>
  );
}

function Help() {
  const t = useT();
  const byWord = new Map<string, string[]>();
  for (const { word, keys } of COMMANDS.filter(isOffered)) {
    if (keys.length) byWord.set(t(word), [...(byWord.get(t(word)) ?? []), ...keys]);
  }
  return (
    <dl className="keys-list">
      {[...byWord].map(([name, keys]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {keys.map((key) => (
              <kbd key={key}>{shownKeys(key)}</kbd>
            ))}
          </dd>
        </div>
      ))}
    </dl>
  );
}

const STEP = "step:";
const PAGE = "page:";
const PAGES: [string, Word][] = [
  ["/dashboard", "nav.dashboard"],
  ["/runs", "nav.runs"],
  ["/presets", "nav.presets"],
  ["/triggers", "nav.triggers"],
  ["/variables", "nav.variables"],
  ["/engines", "nav.engines"],
  ["/settings", "nav.settings"],
];

/** Choose a step and bring it into view; the group that hides it is expanded. */
function goToStep(flow: ReactFlowInstance, id: string): void {
  const { edit, choose } = useDocument.getState();
  if (boxesOf(workflowNow()).has(id)) edit((now) => toggleCollapsed(now, new Set([id])));
  choose([id]);
  void flow.fitView({ nodes: [{ id }], maxZoom: 1, duration: 200 });
}

function CommandBar({ onDone }: { onDone(): void }) {
  const t = useT();
  const flow = useReactFlow();
  const [, go] = useLocation();
  const { nodes } = useWorkflow();
  const visits = useSession((state) => state.visitor !== null);
  const offered = COMMANDS.filter((command) => !command.keyOnly && isOffered(command));
  const found = (text: string): Choice[] => {
    const wanted = text.trim().toLowerCase();
    const all = offered.map((command) => ({
      id: command.id,
      label: t(command.word),
      keys: command.keys.map(shownKeys)[0],
    }));
    const steps = wanted
      ? nodes.map(({ id, name }) => ({ id: `${STEP}${id}`, label: name, about: t("designer.goToStep") }))
      : [];
    // a visitor of a share link has this one page
    const pages = (visits ? [] : PAGES).map(([path, word]) => ({
      id: `${PAGE}${path}`,
      label: t(word),
      about: t("shell.places"),
    }));
    return [...all, ...pages, ...steps]
      .filter(({ label }) => label.toLowerCase().includes(wanted))
      .slice(0, 100);
  };
  return (
    <Chooser
      label={t("command.commands")}
      nothing={t("designer.nothingFound")}
      choices={found}
      onChoose={(id) => {
        onDone();
        if (id.startsWith(PAGE)) return go(id.slice(PAGE.length));
        if (id.startsWith(STEP)) return goToStep(flow, id.slice(STEP.length));
        // After the dialog gave the focus back, so that a dialog of the command keeps it.
        setTimeout(() => offered.find((command) => command.id === id)?.run(flow));
      }}
    />
  );
}

function Find({ onDone }: { onDone(): void }) {
  const t = useT();
  const flow = useReactFlow();
  const { nodes } = useWorkflow();
  return (
    <Chooser
      label={t("designer.findLabel")}
      nothing={t("designer.nothingFound")}
      choices={(text) => nodes.flatMap((node) => hit(node, text.trim().toLowerCase())).slice(0, 100)}
      onChoose={(id) => {
        onDone();
        goToStep(flow, id);
      }}
    />
  );
}

/** A node whose name or settings hold the text, with the setting that does. */
function hit(node: WorkflowNode, text: string): { id: string; label: string; about?: string }[] {
  if (`${node.name} ${node.module_id}`.toLowerCase().includes(text))
    return [{ id: node.id, label: node.name }];
  for (const [field, value] of Object.entries(node.config_values)) {
    const shown = typeof value === "string" ? value : JSON.stringify(value);
    const at = shown.toLowerCase().indexOf(text);
    if (at >= 0) {
      return [
        { id: node.id, label: node.name, about: `${field}: ${shown.slice(Math.max(0, at - 30), at + 60)}` },
      ];
    }
  }
  return [];
}
