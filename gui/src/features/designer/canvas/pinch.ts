/** Lets two fingers zoom and move the canvas also where they lie on steps, which else take each finger for a drag. */

import { useEffect } from "react";

const KINDS = ["touchstart", "touchmove", "touchend", "touchcancel"] as const;

/** Hand what two fingers do over to the empty canvas, from the second finger on until all are lifted. */
export function handOver(canvas: HTMLElement): () => void {
  let both = false;
  const hear = (event: TouchEvent) => {
    const pane = canvas.querySelector(".react-flow__pane");
    if (!pane || !event.isTrusted) return;
    const { type, touches, targetTouches, changedTouches } = event;
    const onCanvas = [...touches].every(({ target }) => canvas.contains(target as Node));
    const onSteps = [...touches].some(({ target }) => (target as Element).closest(".react-flow__node"));
    if (type === "touchstart" && touches.length === 2 && onCanvas && onSteps) both = true;
    if (!both) return;
    // a step has to hear that the finger which was on it is gone
    if (type === "touchstart" || type === "touchmove") {
      event.stopPropagation();
      event.preventDefault();
    }
    const lists = {
      touches: [...touches],
      targetTouches: [...targetTouches],
      changedTouches: [...changedTouches],
    };
    pane.dispatchEvent(new TouchEvent(type, { ...lists, bubbles: true, cancelable: true }));
    if (touches.length === 0) both = false;
  };
  for (const kind of KINDS) canvas.addEventListener(kind, hear, { capture: true, passive: false });
  return () => {
    for (const kind of KINDS) canvas.removeEventListener(kind, hear, { capture: true });
  };
}

export function usePinch(): void {
  useEffect(() => {
    const canvas = document.querySelector<HTMLElement>(".canvas");
    return canvas ? handOver(canvas) : undefined;
  }, []);
}
