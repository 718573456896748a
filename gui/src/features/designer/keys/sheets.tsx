import { useReactFlow } from "@xyflow/react";
import { useT } from "@/i18n/words";
import { Dialog } from "@/ui/dialog";
import { useWorkflow } from "../document/store";
import type { WorkflowNode } from "../document/workflow";
import { Chooser } from "../palette/chooser";
import { useAsMap, useView } from "../view";
import { CommandBar } from "./command-bar";
import { COMMANDS, isOffered } from "./commands";
import { gesturesOf } from "./gestures";
import { goToStep } from "./go-to-step";
import { shownKeys } from "./keyboard";
import "./keys.css";

/** The help sheet, the command bar and the search. */
export function Sheets() {
  const t = useT();
  const { sheet, show } = useView();
  const close = () => show({ sheet: null });
  return (
    <>
      <Dialog open={sheet === "help"} onClose={close} title={t("command.help")} closable>
        <Help />
      </Dialog>
      <Dialog open={sheet === "commands"} onClose={close} title={t("command.commands")} closable>
        <CommandBar onDone={close} />
      </Dialog>
      <Dialog open={sheet === "find"} onClose={close} title={t("command.find")} closable>
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
  const asMap = useAsMap();
  return (
    <>
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
      <h3>{t("gesture.title")}</h3>
      <dl className="keys-list">
        {gesturesOf(asMap).map(({ what, by }) => (
          <div key={by}>
            <dt>{t(what)}</dt>
            <dd className="keys-gesture">{t(by)}</dd>
          </div>
        ))}
      </dl>
    </>
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
