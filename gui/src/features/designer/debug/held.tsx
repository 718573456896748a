import { FastForward, Play, StepForward } from "lucide-react";
import { useShallow } from "zustand/react/shallow";
import { useT } from "@/i18n/words";
import { Badge, Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { heldIn, useRun } from "../run/store";

const icon = { size: 16, "aria-hidden": true } as const;

/** The connections at which data waits at a breakpoint. */
export const useHeld = (): string[] =>
  useRun(useShallow((state) => heldIn(state).map((hit) => hit.connection_id)));

/** In the bar above the canvas while data waits: let it go on, or only to the next connections. */
export function HeldButtons() {
  const t = useT();
  const held = useHeld();
  const letGo = useRun((state) => state.letGo);
  if (held.length === 0) return null;
  return (
    <>
      <Badge tone="warn">{t("break.at", { count: held.length })}</Badge>
      <Button size="small" onClick={() => void letGo("continue")}>
        <FastForward {...icon} />
        {t("command.continue")}
      </Button>
      <Button size="small" onClick={() => void letGo("step")}>
        <StepForward {...icon} />
        {t("command.step")}
      </Button>
    </>
  );
}

/** Beside the data that waits at a connection. */
export function HeldNotice({ wireId, onDone }: { wireId: string; onDone(): void }) {
  const t = useT();
  const held = useHeld();
  const letGo = useRun((state) => state.letGo);
  if (!held.includes(wireId)) return null;
  const act = (how: "continue" | "step", along?: string) => () => {
    void letGo(how, along);
    onDone();
  };
  return (
    <>
      <Notice tone="warn">{t("break.held")}</Notice>
      <div className="row">
        <Button size="small" kind="primary" onClick={act("continue", wireId)}>
          <Play {...icon} />
          {t("command.continue")}
        </Button>
        <Button size="small" onClick={act("step")}>
          <StepForward {...icon} />
          {t("command.step")}
        </Button>
        {held.length > 1 && (
          <Button size="small" onClick={act("continue")}>
            <FastForward {...icon} />
            {t("break.all")}
          </Button>
        )}
      </div>
    </>
  );
}
