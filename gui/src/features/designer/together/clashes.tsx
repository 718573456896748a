import { useEffect } from "react";
import { useT, type Word } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { useDocument, useWorkflow } from "../document/store";
import { type Clash, decide, isOpen } from "../save/merge";
import { noteClashes, useCompany } from "./company";
import { useName } from "./names";
import "./together.css";

/** Says that somebody else and I have changed the same, and lets the person choose, place by place. */
export function Clashes() {
  const t = useT();
  const { clashes, from, asking } = useCompany();
  const workflow = useWorkflow();
  const who = useName({ address: from?.author ?? null, visitor: false });
  const open = clashes.filter((clash) => isOpen(workflow, clash));
  // what an edit or an undo has settled is no question any more
  useEffect(() => {
    if (open.length < clashes.length) {
      useCompany.setState({ clashes: open, ...(open.length ? {} : { asking: false }) });
    }
  }, [open, clashes]);
  if (open.length === 0) return null;
  const count = { count: open.length };
  const all = (side: "mine" | "theirs") => {
    useDocument.getState().edit((now) => open.reduce((changed, clash) => decide(changed, clash, side), now));
    noteClashes([], null);
  };
  return (
    <>
      <div className="clash-bar">
        <Notice tone="warn">
          <span className="grow">{t("together.bar", { who, ...count })}</span>
          <Button size="small" onClick={() => useCompany.setState({ asking: true })}>
            {t("together.look")}
          </Button>
        </Notice>
      </div>
      <Dialog
        open={asking}
        onClose={() => useCompany.setState({ asking: false })}
        title={t("together.title")}
        about={t("together.about", { who, version: from?.version ?? "" })}
      >
        <ul className="plain-list clash-list">
          {open.map((clash) => (
            <Choice key={keyOf(clash)} clash={clash} />
          ))}
        </ul>
        <div className="dialog-actions">
          <Button onClick={() => all("theirs")}>{t("together.allTheirs")}</Button>
          <Button onClick={() => all("mine")}>{t("together.allMine")}</Button>
        </div>
      </Dialog>
    </>
  );
}

const keyOf = ({ subject, id, path }: Clash): string => [subject, id, ...path].join("/");

function Choice({ clash }: { clash: Clash }) {
  const t = useT();
  const where = clash.path.filter((name) => name !== "config_values" && name !== "data").join(" › ");
  const settle = (side: "mine" | "theirs") => {
    useDocument.getState().edit((workflow) => decide(workflow, clash, side));
    const left = useCompany.getState().clashes.filter((one) => one !== clash);
    useCompany.setState({ clashes: left, asking: left.length > 0 });
  };
  return (
    <li>
      <strong>
        {t(`together.subject.${clash.subject}` as Word, { name: clash.name })}
        {where && ` › ${where}`}
      </strong>
      <div className="clash-sides">
        {(["mine", "theirs"] as const).map((side) => (
          <div key={side} className="clash-side">
            <div>
              <span className="muted">{t(`together.${side}` as Word)}</span>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long values are scrolled by keyboard */}
              <pre tabIndex={0}>{textOf(clash, clash[side], t("together.gone"))}</pre>
            </div>
            <Button size="small" onClick={() => settle(side)}>
              {t(side === "mine" ? "together.keepMine" : "together.takeTheirs")}
            </Button>
          </div>
        ))}
      </div>
    </li>
  );
}

/** A value as people read it; of a whole item that both changed its name is enough. */
function textOf(clash: Clash, value: unknown, gone: string): string {
  if (value === undefined) return gone;
  if (clash.path.length === 0) return clash.name;
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
