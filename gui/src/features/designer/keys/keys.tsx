import { useReactFlow } from "@xyflow/react";
import { useEffect } from "react";
import { deleteChosen, paste } from "../document/actions";
import { copyText } from "../document/clipboard";
import { useDocument, workflowNow } from "../document/store";
import { commandOf, isTyping } from "./keyboard";

const OVERLAYS = "[role=dialog],[role=menu],[role=listbox]";
/** Keys that belong to whatever has the focus, unless that is the canvas. */
const CANVAS_ONLY = /^(Enter|Tab|Arrow\w+|Delete|Backspace)$/;

/** The keyboard of the designer. */
export function Keys() {
  const flow = useReactFlow();
  useEffect(() => {
    let pointed = false;
    const onPointer = (event: PointerEvent) => {
      pointed = event.target instanceof Element && event.target.closest(".canvas") !== null;
    };
    const onKey = (event: KeyboardEvent) => {
      const target = event.target instanceof Element ? event.target : document.body;
      const command = commandOf(event);
      if (!command || event.defaultPrevented || document.querySelector(OVERLAYS)) return;
      if (["copy", "cut", "paste"].includes(command.id)) return;
      const plain = !event.ctrlKey && !event.metaKey;
      if (isTyping(event.composedPath()[0] ?? null) && (plain || /^(undo|redo|selectAll)$/.test(command.id)))
        return;
      if (CANVAS_ONLY.test(event.key) && plain && !onCanvas(target)) return;
      // Tab walks through the page for those who use the keyboard only; after a click on the canvas it adds a step.
      if (event.key === "Tab" && !(pointed && target === document.body)) return;
      event.preventDefault();
      event.stopPropagation();
      command.run(flow);
    };
    const onCopy = (event: ClipboardEvent) => {
      if (isTyping(event.target) || document.querySelector(OVERLAYS) || getSelection()?.toString()) return;
      const text = copyText(workflowNow(), useDocument.getState().chosen);
      if (text === null) return;
      event.clipboardData?.setData("text/plain", text);
      event.preventDefault();
      if (event.type === "cut") deleteChosen();
    };
    const onPaste = (event: ClipboardEvent) => {
      const text = event.clipboardData?.getData("text/plain");
      if (!text || isTyping(event.target) || document.querySelector(OVERLAYS)) return;
      event.preventDefault();
      paste(text, null);
    };
    document.addEventListener("pointerdown", onPointer, true);
    document.addEventListener("keydown", onKey, true);
    document.addEventListener("copy", onCopy);
    document.addEventListener("cut", onCopy);
    document.addEventListener("paste", onPaste);
    return () => {
      document.removeEventListener("pointerdown", onPointer, true);
      document.removeEventListener("keydown", onKey, true);
      document.removeEventListener("copy", onCopy);
      document.removeEventListener("cut", onCopy);
      document.removeEventListener("paste", onPaste);
    };
  }, [flow]);
  return null;
}

const onCanvas = (target: Element): boolean =>
  target === document.body || (target.closest(".canvas") !== null && target.closest("button") === null);
