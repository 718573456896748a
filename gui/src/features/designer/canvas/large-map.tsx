import { Panel, useReactFlow, useStoreApi } from "@xyflow/react";
import { memo, type PointerEvent, useLayoutEffect, useMemo, useRef, type WheelEvent } from "react";
import { useT } from "@/i18n/words";
import { NODE_HEIGHT, NODE_WIDTH } from "../document/layout";
import type { CanvasNode } from "./model";

const WIDTH = 200;
const HEIGHT = 150;
/** The part of the map that stays free at each side. */
const MARGIN = 0.08;

interface Frame {
  x: number;
  y: number;
  scale: number;
}

/** Where the map lies over the canvas: its corner there, and how many of its points one point of the canvas is. */
export function frameOf(nodes: readonly CanvasNode[]): Frame {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { position, width, height, measured, hidden } of nodes) {
    if (hidden) continue;
    left = Math.min(left, position.x);
    top = Math.min(top, position.y);
    right = Math.max(right, position.x + (measured?.width ?? width ?? NODE_WIDTH));
    bottom = Math.max(bottom, position.y + (measured?.height ?? height ?? NODE_HEIGHT));
  }
  if (left > right) return { x: 0, y: 0, scale: 1 };
  const free = 1 - 2 * MARGIN;
  const scale = Math.min((WIDTH * free) / (right - left), (HEIGHT * free) / (bottom - top), 1);
  const middle = { x: (left + right) / 2, y: (top + bottom) / 2 };
  return { x: middle.x - WIDTH / 2 / scale, y: middle.y - HEIGHT / 2 / scale, scale };
}

/** All steps as one shape. */
function shapeOf(nodes: readonly CanvasNode[], { x, y, scale }: Frame): string {
  const shapes = nodes.flatMap(({ position, measured, hidden, type }) => {
    if (hidden || type !== "step") return [];
    const size = [NODE_WIDTH * scale, (measured?.height ?? NODE_HEIGHT) * scale].map((one) => one.toFixed(1));
    const at = [(position.x - x) * scale, (position.y - y) * scale].map((one) => one.toFixed(1));
    return [`M${at}h${size[0]}v${size[1]}h-${size[0]}z`];
  });
  return shapes.join("");
}

/**
 * The overview of a large workflow: one shape, and a frame around what is in sight that is only shifted.
 *
 * The library's own overview asks every step in every frame that moves the canvas, and paints all of them.
 */
export const LargeMap = memo(function LargeMap({ nodes }: { nodes: readonly CanvasNode[] }) {
  const t = useT();
  const flow = useReactFlow();
  const store = useStoreApi();
  const map = useRef<HTMLDivElement>(null);
  const sight = useRef<HTMLDivElement>(null);
  const frame = useMemo(() => frameOf(nodes), [nodes]);
  const shape = useMemo(() => shapeOf(nodes, frame), [nodes, frame]);
  useLayoutEffect(() => {
    let size = "";
    const draw = () => {
      const { transform, width, height } = store.getState();
      const [x, y, zoom] = transform;
      const { style } = sight.current ?? {};
      if (!style) return;
      const next = `${(width / zoom) * frame.scale} ${(height / zoom) * frame.scale}`;
      if (next !== size)
        [style.width, style.height] = next.split(" ").map((one) => `${one}px`) as [string, string];
      size = next;
      const at = [-x / zoom - frame.x, -y / zoom - frame.y].map((one) => `${one * frame.scale}px`);
      style.transform = `translate(${at.join(", ")})`;
    };
    draw();
    return store.subscribe(draw);
  }, [store, frame]);

  const goTo = (event: PointerEvent) => {
    const box = map.current?.getBoundingClientRect();
    if (!box || event.buttons === 0) return;
    if (event.type === "pointerdown") map.current?.setPointerCapture(event.pointerId);
    const x = frame.x + (event.clientX - box.left) / frame.scale;
    const y = frame.y + (event.clientY - box.top) / frame.scale;
    void flow.setCenter(x, y, { zoom: flow.getZoom() });
  };
  const zoom = (event: WheelEvent) => void (event.deltaY < 0 ? flow.zoomIn() : flow.zoomOut());
  return (
    <Panel position="bottom-right" className="canvas-map large-map">
      <div
        ref={map}
        role="img"
        aria-label={t("designer.map")}
        onPointerDown={goTo}
        onPointerMove={goTo}
        onWheel={zoom}
      >
        <svg width={WIDTH} height={HEIGHT} aria-hidden="true">
          <path d={shape} />
        </svg>
        <div ref={sight} className="large-map-sight" />
      </div>
    </Panel>
  );
});
