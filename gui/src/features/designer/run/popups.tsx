import { useEffect } from "react";
import { DataShapes } from "@/features/run/data-view";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { useRun } from "./store";

/** What the workflow wants to show: one dialog at a time, the oldest first. */
export function Popups() {
  const t = useT();
  const { run, closed, close, live } = useRun();
  const popup = (live ? run?.popups : [])?.find((item) => !closed.has(`popup ${item.seq}`));
  const key = popup ? `popup ${popup.seq}` : "";
  const seconds = Number(popup?.config?.auto_close ?? popup?.config?.auto_close_seconds ?? 0);
  useEffect(() => {
    if (!key || !(seconds > 0)) return;
    const timer = setTimeout(() => close(key), seconds * 1000);
    return () => clearTimeout(timer);
  }, [key, seconds, close]);
  if (!popup) return null;
  return (
    <Dialog open onClose={() => close(key)} title={popup.title}>
      {typeof popup.content === "string" ? (
        <p className="popup-body">{popup.content}</p>
      ) : (
        <DataShapes value={popup.content} />
      )}
      <div className="dialog-actions">
        <Button kind="primary" onClick={() => close(key)}>
          {t("designer.close")}
        </Button>
      </div>
    </Dialog>
  );
}
