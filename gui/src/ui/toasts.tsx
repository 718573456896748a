import { X } from "lucide-react";
import { create } from "zustand";
import { sentenceOf } from "@/api/errors";
import { useT } from "@/i18n/words";
import { Button } from "./button";

interface Toast {
  id: number;
  tone: "info" | "good" | "bad";
  text: string;
}

interface ToastState {
  toasts: Toast[];
  show(text: string, tone?: Toast["tone"]): void;
  close(id: number): void;
}

const SHOWN_MS = 6000;
const MOST = 4;
let nextId = 1;

export const useToasts = create<ToastState>((set, get) => ({
  toasts: [],
  show(text, tone = "info") {
    const id = nextId++;
    set({ toasts: [...get().toasts, { id, tone, text }].slice(-MOST) });
    if (tone !== "bad") setTimeout(() => get().close(id), SHOWN_MS);
  },
  close: (id) => set({ toasts: get().toasts.filter((toast) => toast.id !== id) }),
}));

/** Say what became of an action, outside of components too. */
export const tell = (text: string, tone: Toast["tone"] = "info"): void =>
  useToasts.getState().show(text, tone);
export const tellError = (error: unknown): void => tell(sentenceOf(error), "bad");

export function Toasts() {
  const t = useT();
  const { toasts, close } = useToasts();
  return (
    <div className="toasts" role="log" aria-live="polite" aria-label={t("common.messages")}>
      {toasts.map((toast) => (
        <div key={toast.id} className="toast" data-tone={toast.tone}>
          <span>{toast.text}</span>
          <Button kind="quiet" size="small" aria-label={t("common.close")} onClick={() => close(toast.id)}>
            <X size={16} aria-hidden="true" />
          </Button>
        </div>
      ))}
    </div>
  );
}
