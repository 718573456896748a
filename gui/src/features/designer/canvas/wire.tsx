import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from "@xyflow/react";
import { Eye, Octagon, Pause, Plus, Trash2 } from "lucide-react";
import { memo, useState } from "react";
import { useT } from "@/i18n/words";
import { toggleBreakpoints, useAids } from "../debug/aids";
import { remove } from "../document/edits";
import { useDocument } from "../document/store";
import { useProblems } from "../run/problems";
import { heldIn, useRun } from "../run/store";
import { useView } from "../view";

export type WireEdge = Edge<{ error: boolean; to: string }, "wire">;

/** A connection: shows what passed, and offers to look at it, to put a step into it, to delete it. */
export const Wire = memo(function Wire(props: EdgeProps<WireEdge>) {
  const { id, selected, data } = props;
  const t = useT();
  const [path, x, y] = getBezierPath(props);
  const [over, setOver] = useState(false);
  const passed = useRun((state) => state.run?.passed[id] ?? 0);
  const known = useRun((state) => state.jobId !== null);
  const live = useRun(
    (state) => state.run?.status === "RUNNING" && state.run.nodes[data?.to ?? ""]?.status === "RUNNING",
  );
  const wrong = useProblems((state) => state.byWire[id] !== undefined);
  const stops = useAids((state) => state.breakpoints.has(id));
  const held = useRun((state) => heldIn(state).some((hit) => hit.connection_id === id));
  const shown = over || selected;
  return (
    <>
      {/* The wide invisible line around a wire is what the pointer meets. */}
      <g onPointerEnter={() => setOver(true)} onPointerLeave={() => setOver(false)}>
        <BaseEdge
          id={id}
          path={path}
          interactionWidth={24}
          className="wire"
          data-error={data?.error}
          data-selected={selected}
          data-passed={passed > 0}
          data-live={live}
          data-wrong={wrong}
          data-held={held}
        />
      </g>
      {(shown || passed > 0 || stops || held) && (
        <EdgeLabelRenderer>
          <fieldset
            className="wire-tools nodrag nopan"
            data-counted={passed > 0}
            aria-label={t("designer.connection")}
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
            onPointerEnter={() => setOver(true)}
            onPointerLeave={() => setOver(false)}
          >
            {/* Equal sides: what the pointer is over stays where it is when the other buttons come. */}
            <span>
              {(stops || shown) && (
                <button
                  type="button"
                  className="wire-stop"
                  aria-pressed={stops}
                  aria-label={t(stops ? "break.clear" : "break.set")}
                  title={t(stops ? "break.clear" : "break.set")}
                  onClick={() => toggleBreakpoints([id])}
                >
                  <Octagon size={14} aria-hidden="true" />
                </button>
              )}
              {held && (
                <button
                  type="button"
                  className="wire-held"
                  aria-label={t("break.look")}
                  title={t("break.look")}
                  onClick={() => useView.getState().show({ peek: id })}
                >
                  <Pause size={14} aria-hidden="true" />
                </button>
              )}
            </span>
            {passed > 0 && (
              <button
                type="button"
                className="wire-count"
                onClick={() => useView.getState().show({ peek: id })}
                aria-label={t("designer.peekCount", { count: passed })}
              >
                {t("designer.items", { count: passed })}
              </button>
            )}
            <span>
              {shown && (
                <>
                  {known && passed === 0 && (
                    <button
                      type="button"
                      aria-label={t("designer.peek")}
                      onClick={() => useView.getState().show({ peek: id })}
                    >
                      <Eye size={14} aria-hidden="true" />
                    </button>
                  )}
                  <button
                    type="button"
                    aria-label={t("designer.insert")}
                    onClick={() =>
                      useView.getState().show({ aim: { place: { x: x - 110, y: y - 40 }, wire: id } })
                    }
                  >
                    <Plus size={14} aria-hidden="true" />
                  </button>
                  <button
                    type="button"
                    aria-label={t("designer.disconnect")}
                    onClick={() => useDocument.getState().edit((workflow) => remove(workflow, new Set([id])))}
                  >
                    <Trash2 size={14} aria-hidden="true" />
                  </button>
                </>
              )}
            </span>
          </fieldset>
        </EdgeLabelRenderer>
      )}
    </>
  );
});
