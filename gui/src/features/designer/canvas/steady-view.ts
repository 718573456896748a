/** Keeps in sight what was in sight when the canvas gets another size: a panel opens beside it, a phone is turned. */

import { getNodesBounds, type Rect, useReactFlow, type Viewport } from "@xyflow/react";
import { useEffect } from "react";

export interface Size {
  width: number;
  height: number;
}

/** What to do: show everything again where everything was shown, else keep the middle in the middle. */
export function viewAfter(view: Viewport, before: Size, after: Size, all: Rect): Viewport | "fit" | null {
  if (before.width === after.width && before.height === after.height) return null;
  if (before.width * before.height * after.width * after.height === 0) return null;
  if (holds(view, before, all)) return holds(view, after, all) ? null : "fit";
  const shift = { x: (after.width - before.width) / 2, y: (after.height - before.height) / 2 };
  return { x: view.x + shift.x, y: view.y + shift.y, zoom: view.zoom };
}

function holds({ x, y, zoom }: Viewport, size: Size, all: Rect): boolean {
  const [left, top] = [all.x * zoom + x, all.y * zoom + y];
  return (
    left >= 0 && top >= 0 && left + all.width * zoom <= size.width && top + all.height * zoom <= size.height
  );
}

/** Follow the size of the canvas. */
export function useSteadyView(fit: () => void): void {
  const flow = useReactFlow();
  useEffect(() => {
    const canvas = document.querySelector(".canvas");
    if (!canvas || typeof ResizeObserver === "undefined") return;
    let before: Size = { width: 0, height: 0 };
    const observer = new ResizeObserver(() => {
      const { width, height } = canvas.getBoundingClientRect();
      const next = viewAfter(flow.getViewport(), before, { width, height }, getNodesBounds(flow.getNodes()));
      before = { width, height };
      if (next === "fit") fit();
      else if (next) void flow.setViewport(next);
    });
    observer.observe(canvas);
    return () => observer.disconnect();
  }, [flow, fit]);
}
