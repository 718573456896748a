/** Workflows as files of the person's own machine. */

import { t } from "@/i18n/words";
import { tell, tellError } from "@/ui/toasts";
import { bring, isForeign } from "../bring/put";
import { useDocument, workflowNow } from "../document/store";
import { readWorkflow } from "../document/workflow";

const LARGEST = 20 * 1024 * 1024;

export function saveFile(): void {
  const text = JSON.stringify(workflowNow(), null, 2);
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `${(useDocument.getState().preset ?? "workflow").replace(/[^\w.-]+/g, "-")}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export function openFile(): void {
  const field = document.createElement("input");
  field.type = "file";
  field.accept = ".json,application/json";
  field.addEventListener("change", () => {
    const file = field.files?.[0];
    if (file) void importFile(file);
  });
  field.click();
}

/** Put a file's workflow on the canvas; what was there can be had back by undo. */
export async function importFile(file: File): Promise<void> {
  try {
    if (file.size > LARGEST) throw new Error(t("designer.fileTooLarge"));
    const text = await file.text();
    const given: unknown = JSON.parse(text);
    if (isForeign(given) && (await bring(text, null, true))) return;
    const workflow = readWorkflow(given);
    useDocument.getState().edit(() => workflow);
    tell(t("designer.imported", { name: file.name }), "good");
  } catch (error) {
    if (error instanceof SyntaxError) tell(t("designer.pasteNoJson"), "bad");
    else tellError(error);
  }
}
