import { Handle, type NodeProps, Position } from "@xyflow/react";
import {
  AlertTriangle,
  Ban,
  Box,
  Check,
  CircleSlash,
  Hourglass,
  Pause,
  Pin,
  RotateCw,
  StickyNote,
  X,
} from "lucide-react";
import { memo } from "react";
import { useSession } from "@/app/session";
import type { NodeStatus } from "@/contract/contract.gen";
import { spanText } from "@/features/run/run-state";
import { useT, type Word } from "@/i18n/words";
import { useAids } from "../debug/aids";
import type { Workflow, WorkflowNode } from "../document/workflow";
import { iconOf, isErrorPort, portsOf, useCatalog } from "../palette/catalog";
import { useProblems } from "../run/problems";
import { useRun } from "../run/store";
import { Others } from "../together/people";
import { useView } from "../view";
import { NodeName } from "./node-name";

export interface StepData extends Record<string, unknown> {
  node: WorkflowNode;
}

const MARKS: Partial<Record<NodeStatus, typeof Check>> = {
  SUCCESS: Check,
  ERROR: X,
  RETRYING: RotateCw,
  WAITING: Hourglass,
  SKIPPED: CircleSlash,
  CANCELLED: Pause,
  OUTCOME_UNKNOWN: AlertTriangle,
};

/** A step on the canvas: inputs left, outputs right, errors lowest, and how it fared in the run. */
export const StepNode = memo(function StepNode({ id, data, selected }: NodeProps) {
  const t = useT();
  const { node } = data as StepData;
  const component = useCatalog((state) => state.byId[node.module_id]);
  const ready = useCatalog((state) => state.state === "ready");
  const engineId = useSession((state) => state.engineId);
  const problems = useProblems((state) => state.byNode[id]);
  const run = useRun((state) => state.run?.nodes[id]);
  const stale = useRun((state) => state.ran !== null && isStale(nodeById(state.ran, id), node));
  const pinned = useAids((state) => state.pins[id] !== undefined);
  const renaming = useView((state) => state.renaming === id);
  const { inputs, outputs } = portsOf(node, component);
  const missing = ready && !component;
  const about =
    component?.name === node.name ? component.manifest.category : (component?.name ?? node.module_id);
  return (
    <div
      className="step"
      data-selected={selected}
      data-disabled={node.disabled || undefined}
      data-status={run?.status}
      data-missing={missing || undefined}
    >
      <Others id={id} />
      <div className="step-head">
        {component && engineId ? (
          <img className="step-icon" src={iconOf(component, engineId)} alt="" draggable={false} />
        ) : (
          <Box className="step-icon" aria-hidden="true" />
        )}
        <div className="step-title">
          {renaming ? <NodeName id={id} name={node.name} /> : <strong title={node.name}>{node.name}</strong>}
          <span>{missing ? t("designer.missing", { id: node.module_id }) : about}</span>
        </div>
        <span className="step-marks">
          {Boolean(node.data?.note) && <StickyNote size={14} aria-label={t("designer.hasNote")} />}
          {pinned && <Pin size={14} aria-label={t("designer.pinned")} />}
          {node.disabled && <Ban size={14} aria-label={t("designer.disabled")} />}
          {problems && (
            <AlertTriangle
              size={16}
              className="step-problem"
              aria-label={problems.map((problem) => problem.problem).join(" ")}
            />
          )}
          {run && <RunMark status={run.status} />}
        </span>
      </div>
      <div className="step-ports">
        <div>
          {inputs.map((port) => (
            <div key={port.name} className="step-port" title={port.tooltip}>
              <Handle type="target" position={Position.Left} id={port.name} />
              <span>{port.display_name}</span>
            </div>
          ))}
        </div>
        <div>
          {outputs.map((port) => (
            <div
              key={port.name}
              className="step-port"
              data-end="out"
              data-error={isErrorPort(port.name)}
              title={port.tooltip}
            >
              <span>{port.display_name}</span>
              <Handle type="source" position={Position.Right} id={port.name} />
            </div>
          ))}
        </div>
      </div>
      {run && (
        <div className="step-foot">
          <span>{t(`status.${run.status}` as Word)}</span>
          {run.attempt > 1 && <span>{t("run.attempt", { count: run.attempt })}</span>}
          {run.ms !== null && <span>{spanText(run.ms)}</span>}
          {stale && <span className="step-stale">{t("designer.stale")}</span>}
        </div>
      )}
    </div>
  );
});

function RunMark({ status }: { status: NodeStatus }) {
  const t = useT();
  if (status === "RUNNING")
    return <span className="spinner step-spinner" role="img" aria-label={t("status.RUNNING")} />;
  const Mark = MARKS[status];
  return Mark ? <Mark size={16} className="step-mark" aria-hidden="true" /> : null;
}

const KNOWN = new WeakMap<Workflow, ReadonlyMap<string, WorkflowNode>>();

/** Find a node of a workflow that does not change: each of its steps asks, and asks often. */
function nodeById(workflow: Workflow, id: string): WorkflowNode | undefined {
  const known = KNOWN.get(workflow) ?? new Map(workflow.nodes.map((node) => [node.id, node]));
  KNOWN.set(workflow, known);
  return known.get(id);
}

function isStale(ran: WorkflowNode | undefined, now: WorkflowNode): boolean {
  return ran !== undefined && ran !== now && ran.config_values !== now.config_values;
}
