import { Braces, Plus } from "lucide-react";
import { useState } from "react";
import { useLive } from "@/app/live";
import { Loaded, NeedEngine } from "@/app/need-engine";
import { useSession } from "@/app/session";
import type { Variable } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Empty } from "@/ui/badge";
import { Button } from "@/ui/button";
import { VariableDialog } from "./variable-dialog";
import { VariableRow } from "./variable-row";
import "./variables.css";

/** The engine's variables, which workflows use by name. */
export default function Variables() {
  const t = useT();
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{t("variables.title")}</h1>
          <p>{t("variables.about")}</p>
        </div>
      </div>
      <NeedEngine>
        <VariableList />
      </NeedEngine>
    </div>
  );
}

function VariableList() {
  const t = useT();
  const engineId = useSession((state) => state.engineId);
  const engine = useSession((state) => state.engine);
  const [edited, setEdited] = useState<Variable | "new" | null>(null);
  const live = useLive(
    async () => (await engine?.request("request_variables", {}))?.variables ?? [],
    [engineId],
  );
  const add = (
    <Button kind="primary" onClick={() => setEdited("new")}>
      <Plus size={16} aria-hidden="true" />
      {t("variables.add")}
    </Button>
  );
  return (
    <Loaded live={live}>
      {(variables) => (
        <>
          {variables.length === 0 ? (
            <Empty icon={<Braces size={32} aria-hidden="true" />} title={t("variables.none")}>
              <p>{t("variables.noneText")}</p>
              {add}
            </Empty>
          ) : (
            <>
              <div className="row">{add}</div>
              <ul className="card plain-list variable-list" aria-label={t("variables.title")}>
                {variables.map((variable) => (
                  <VariableRow
                    key={variable.name}
                    variable={variable}
                    onEdit={() => setEdited(variable)}
                    onChanged={live.set}
                  />
                ))}
              </ul>
            </>
          )}
          {edited && (
            <VariableDialog
              variable={edited === "new" ? null : edited}
              taken={variables.map(({ name }) => name)}
              onChanged={live.set}
              onClose={() => setEdited(null)}
            />
          )}
        </>
      )}
    </Loaded>
  );
}
