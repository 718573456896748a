import { useEffect, useRef, useState } from "react";
import { useT } from "@/i18n/words";
import { changeNode } from "../document/edits";
import { useDocument } from "../document/store";
import { useView } from "../view";

/** The name of a node while it is being changed; Enter keeps it, Escape leaves it. */
export function NodeName({ id, name }: { id: string; name: string }) {
  const t = useT();
  const [text, setText] = useState(name);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  const end = (keep: boolean) => {
    useView.getState().show({ renaming: null });
    const next = text.trim().slice(0, 200);
    if (keep && next && next !== name)
      useDocument.getState().edit((workflow) => changeNode(workflow, id, { name: next }));
    document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`)?.focus();
  };
  return (
    <input
      ref={field}
      className="input step-rename nodrag nopan"
      aria-label={t("designer.name")}
      value={text}
      maxLength={200}
      onChange={(event) => setText(event.target.value)}
      onBlur={() => useView.getState().renaming === id && end(true)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") end(true);
        else if (event.key === "Escape") end(false);
      }}
    />
  );
}
