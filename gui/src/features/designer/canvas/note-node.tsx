import { type NodeProps, NodeResizer } from "@xyflow/react";
import { memo } from "react";
import { useT } from "@/i18n/words";
import { changeNote } from "../document/edits";
import { useDocument } from "../document/store";
import type { WorkflowNote } from "../document/workflow";

/** A note on the canvas: text beside the steps, for whoever reads the workflow later; or the frame of a group. */
export const NoteNode = memo(function NoteNode({ id, data, selected }: NodeProps) {
  const t = useT();
  const { note } = data as { note: WorkflowNote };
  const edit = useDocument((state) => state.edit);
  return (
    <div className="canvas-note" data-selected={selected} data-group={note.members !== undefined}>
      <NodeResizer
        isVisible={Boolean(selected)}
        minWidth={120}
        minHeight={60}
        onResizeEnd={(_, { x, y, width, height }) =>
          edit((workflow) => changeNote(workflow, id, { x, y, width, height }))
        }
      />
      <textarea
        className="nodrag nowheel"
        aria-label={t(note.members ? "designer.group" : "designer.note")}
        placeholder={t(note.members ? "designer.groupHint" : "designer.noteHint")}
        {...(note.members ? { rows: 1 } : {})}
        value={note.text}
        onChange={(event) => {
          const text = event.target.value;
          edit((workflow) => changeNote(workflow, id, { text }), `note ${id}`);
        }}
        onKeyDown={(event) => event.key !== "Escape" && event.stopPropagation()}
      />
    </div>
  );
});
