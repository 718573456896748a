import { type ReactNode, useState } from "react";
import { useT } from "@/i18n/words";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { tellError } from "./toasts";

interface Props {
  open: boolean;
  title: string;
  children: ReactNode;
  /** What the button says that does it. */
  action: string;
  onClose(): void;
  onConfirm(): void | Promise<void>;
}

/** Asks before something that cannot be undone; stays open, and says why, when it does not work. */
export function Confirm({ open, title, children, action, onClose, onConfirm }: Props) {
  const t = useT();
  const [busy, setBusy] = useState(false);
  async function confirm() {
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  }
  return (
    <Dialog open={open} onClose={onClose} title={title}>
      <div>{children}</div>
      <div className="dialog-actions">
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button kind="danger" busy={busy} onClick={() => void confirm()}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
