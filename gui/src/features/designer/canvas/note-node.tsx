import { Handle, type NodeProps, NodeResizer, Position } from "@xyflow/react";
import { ChevronDown, ChevronRight } from "lucide-react";
import { memo } from "react";
import type { NodeStatus } from "@/contract/contract.gen";
import { useT, type Word } from "@/i18n/words";
import { changeNote } from "../document/edits";
import { stepsIn, toggleCollapsed } from "../document/groups";
import { useDocument, useWorkflow } from "../document/store";
import type { WorkflowNote } from "../document/workflow";
import { useRun } from "../run/store";

const icon = { size: 16, "aria-hidden": true } as const;

/** A note on the canvas: text beside the steps, for whoever reads the workflow later; or the frame of a group. */
export const NoteNode = memo(function NoteNode({ id, data, selected }: NodeProps) {
  const { note } = data as { note: WorkflowNote };
  const edit = useDocument((state) => state.edit);
  const collapsed = note.collapsed === true && note.members !== undefined;
  return (
    <div
      className="canvas-note"
      data-selected={selected}
      data-group={note.members !== undefined}
      data-collapsed={collapsed}
    >
      <NodeResizer
        isVisible={Boolean(selected) && !collapsed}
        minWidth={120}
        minHeight={60}
        onResizeEnd={(_, { x, y, width, height }) =>
          edit((workflow) => changeNote(workflow, id, { x, y, width, height }))
        }
      />
      {note.members && <Fold note={note} collapsed={collapsed} />}
      <NoteText note={note} />
      {collapsed && <Box note={note} />}
    </div>
  );
});

function NoteText({ note }: { note: WorkflowNote }) {
  const t = useT();
  const edit = useDocument((state) => state.edit);
  return (
    <textarea
      className="nodrag nowheel"
      aria-label={t(note.members ? "designer.group" : "designer.note")}
      placeholder={t(note.members ? "designer.groupHint" : "designer.noteHint")}
      {...(note.members ? { rows: 1 } : {})}
      value={note.text}
      onChange={(event) => {
        const text = event.target.value;
        edit((workflow) => changeNote(workflow, note.id, { text }), `note ${note.id}`);
      }}
      onKeyDown={(event) => event.key !== "Escape" && event.stopPropagation()}
    />
  );
}

function Fold({ note, collapsed }: { note: WorkflowNote; collapsed: boolean }) {
  const t = useT();
  const edit = useDocument((state) => state.edit);
  const name = note.text || t("designer.group");
  return (
    <button
      type="button"
      className="group-fold nodrag"
      aria-expanded={!collapsed}
      aria-label={t(collapsed ? "designer.expandOf" : "designer.collapseOf", { name })}
      onClick={() => edit((workflow) => toggleCollapsed(workflow, new Set([note.id])))}
    >
      {collapsed ? <ChevronRight {...icon} /> : <ChevronDown {...icon} />}
    </button>
  );
}

const WORST: NodeStatus[] = ["ERROR", "OUTCOME_UNKNOWN", "WAITING", "RETRYING", "RUNNING", "SUCCESS"];

/** A group as one box: how many steps, how they fared, and where their connections to others end. */
function Box({ note }: { note: WorkflowNote }) {
  const t = useT();
  const members = note.members ?? [];
  const count = stepsIn(useWorkflow(), note);
  const status = useRun((state) => {
    const found = new Set(members.map((id) => state.run?.nodes[id]?.status));
    return WORST.find((item) => found.has(item));
  });
  return (
    <>
      <Handle type="target" position={Position.Left} id="in" isConnectable={false} />
      <span className="group-about" data-status={status}>
        {t("designer.steps", { count })}
        {status && ` · ${t(`status.${status}` as Word)}`}
      </span>
      <Handle type="source" position={Position.Right} id="out" isConnectable={false} />
    </>
  );
}
