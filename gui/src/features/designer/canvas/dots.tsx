import { useStoreApi } from "@xyflow/react";
import { useLayoutEffect, useRef } from "react";
import { GRID } from "../document/edits";

/** Nearer to each other than this the dots of the grid are a grey haze: then every second one is left out. */
const NEAREST = 12;
/** How far the dots reach over each edge of the canvas; more than the widest gap. */
const OVER = 64;

/** The gap between dots on the screen. */
export function gapAt(zoom: number): number {
  let gap = GRID * zoom;
  while (gap < NEAREST) gap *= 2;
  return gap;
}

/** How far the dots are shifted so that one of them stands where the canvas has its zero. */
export const shiftAt = (at: number, gap: number): number =>
  ((((at + OVER - gap / 2) % gap) + gap) % gap) - gap;

/** The nearest whole point of the screen: what lies between two is mixed anew in every frame, and is not sharp. */
const whole = (at: number): number => Math.round(at * devicePixelRatio) / devicePixelRatio;

/**
 * The dots of the grid, as one layer that is only shifted while the canvas moves.
 *
 * What is painted anew makes the browser sort all layers of the page again, in every frame.
 */
export function Dots() {
  const store = useStoreApi();
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    let last = 0;
    const draw = () => {
      const [x, y, zoom] = store.getState().transform;
      const gap = gapAt(zoom);
      const { style } = place.current ?? {};
      if (!style) return;
      if (gap !== last) style.backgroundSize = `${gap}px ${gap}px`;
      last = gap;
      style.transform = `translate(${whole(shiftAt(x, gap))}px, ${whole(shiftAt(y, gap))}px)`;
    };
    draw();
    return store.subscribe(draw);
  }, [store]);
  return <div ref={place} className="canvas-dots" aria-hidden="true" />;
}
