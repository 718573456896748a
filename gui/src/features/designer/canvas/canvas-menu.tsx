import { useReactFlow } from "@xyflow/react";
import { ContextMenu } from "radix-ui";
import { type ReactNode, useRef } from "react";
import { useT } from "@/i18n/words";
import { useDocument, useWorkflow } from "../document/store";
import { COMMANDS, isOffered } from "../keys/commands";
import { shownKeys } from "../keys/keyboard";

const FOR_STEPS = [
  "open",
  "runHere",
  "rename",
  "disable",
  "pin",
  "breakpoint",
  "copy",
  "duplicate",
  "group",
  "ungroup",
  "collapse",
  "tidy",
  "alignLeft",
  "alignTop",
  "delete",
];
const FOR_CANVAS = ["add", "paste", "note", "selectAll", "tidy", "fit", "find"];

/** The menu of a right click, or of a long press: for the steps that are chosen, else for the canvas. */
export function CanvasMenu({ children }: { children: ReactNode }) {
  const t = useT();
  const flow = useReactFlow();
  const { nodes } = useWorkflow();
  const chosen = useDocument((state) => state.chosen);
  const some = nodes.some((node) => chosen.has(node.id));
  const commands = (some ? FOR_STEPS : FOR_CANVAS).flatMap(
    (id) => COMMANDS.find((command) => command.id === id && isOffered(command)) ?? [],
  );
  // A long press opens the menu without an event of its own on phones that know no right click.
  const under = useRef<EventTarget | null>(null);
  const remember = ({ target }: { target: EventTarget }) => {
    under.current = target;
  };
  return (
    <ContextMenu.Root onOpenChange={(open) => open && chooseUnder(under.current)}>
      <ContextMenu.Trigger asChild onPointerDownCapture={remember} onContextMenuCapture={remember}>
        {children}
      </ContextMenu.Trigger>
      <ContextMenu.Portal>
        <ContextMenu.Content className="menu" aria-label={t("designer.more")}>
          {commands.map((command) => (
            <ContextMenu.Item
              key={command.id}
              className="menu-item canvas-menu-item"
              // After the menu gave the focus back, so that a field or dialog of the command keeps it.
              onSelect={() => setTimeout(() => command.run(flow))}
            >
              {t(command.word)}
              {command.keys[0] && <kbd>{shownKeys(command.keys[0])}</kbd>}
            </ContextMenu.Item>
          ))}
        </ContextMenu.Content>
      </ContextMenu.Portal>
    </ContextMenu.Root>
  );
}

/** A right click on a step that is not chosen chooses it; one on the empty canvas chooses nothing. */
function chooseUnder(target: EventTarget | null): void {
  const { chosen, choose } = useDocument.getState();
  const id = (target as Element | null)?.closest(".react-flow__node")?.getAttribute("data-id");
  if (!id) choose([]);
  else if (!chosen.has(id)) choose([id]);
}
