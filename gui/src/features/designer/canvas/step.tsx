import { type NodeProps, useUpdateNodeInternals } from "@xyflow/react";
import { memo, useEffect, useState } from "react";
import { useDocument } from "../document/store";
import { NODE_HEIGHT } from "../document/layout";
import { useView } from "../view";
import { useAfar } from "./far";
import { StepNode } from "./step-node";

/**
 * A step on the canvas. From afar it is an empty box for the pointer, until the pointer or the keyboard is at it.
 *
 * Each port listens to every movement of the canvas: those of hundreds of steps cost more than all the rest.
 */
export const Step = memo(function Step(props: NodeProps) {
  const { id, height = NODE_HEIGHT } = props;
  const [near, setNear] = useState(false);
  const afar = useAfar();
  const only = useDocument(({ chosen }) => chosen.size === 1 && chosen.has(id));
  const renaming = useView((state) => state.renaming === id);
  const bare = afar && !near && !only && !renaming;
  const measure = useUpdateNodeInternals();
  const [hasPorts, setHasPorts] = useState(!bare);
  useEffect(() => {
    if (bare || hasPorts) return;
    // ports that were never drawn have no place yet
    setHasPorts(true);
    measure(id);
  }, [bare, hasPorts, measure, id]);
  return (
    <div onPointerEnter={() => setNear(true)} onPointerLeave={() => setNear(false)}>
      {bare ? <div className="step step-bare" style={{ height }} /> : <StepNode {...props} />}
    </div>
  );
});
