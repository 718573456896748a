import { ViewportPortal } from "@xyflow/react";
import { memo, useMemo } from "react";
import { useT } from "@/i18n/words";
import { framesOf, loopOf } from "../document/bodies";
import type { CanvasNode } from "./model";

/** Around the steps inside each loop a frame that names it. */
export const LoopFrames = memo(function LoopFrames({ nodes }: { nodes: readonly CanvasNode[] }) {
  const t = useT();
  const frames = useMemo(() => {
    const steps = nodes.flatMap(({ data, position, hidden }) =>
      data.node && !hidden ? [{ ...data.node, ...position }] : [],
    );
    return steps.some(loopOf) ? framesOf({ nodes: steps, connections: [] }) : [];
  }, [nodes]);
  if (frames.length === 0) return null;
  return (
    <ViewportPortal>
      {frames.map(({ loop, x, y, width, height }) => (
        <div
          key={loop.id}
          className="loop-frame"
          style={{ transform: `translate(${x}px, ${y}px)`, width, height }}
        >
          {t("designer.insideOf", { name: loop.name })}
        </div>
      ))}
    </ViewportPortal>
  );
});
