import { Plus, Server } from "lucide-react";
import { useEffect, useState } from "react";
import { Loading } from "@/app/need-engine";
import { useSession } from "@/app/session";
import { useT } from "@/i18n/words";
import { Empty } from "@/ui/badge";
import { Button } from "@/ui/button";
import { tellError } from "@/ui/toasts";
import { EngineCard } from "./engine-card";
import { RegisterDialog } from "./register-dialog";
import "./engines.css";

/** The engines one owns and those others share, with their live state. */
export default function Engines() {
  const t = useT();
  const { engines, shared, states, loadEngines, loadShared } = useSession();
  const [registering, setRegistering] = useState(false);
  useEffect(() => {
    loadEngines().catch(tellError);
  }, [loadEngines]);
  // what others share is asked again when the gateway tells of another engine
  const known = Object.keys(states).sort().join(" ");
  useEffect(() => {
    loadShared().catch(tellError);
  }, [loadShared, known]);
  const register = (
    <Button kind="primary" onClick={() => setRegistering(true)}>
      <Plus size={16} aria-hidden="true" />
      {t("engines.register")}
    </Button>
  );
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{t("engines.title")}</h1>
          <p>{t("engines.about")}</p>
        </div>
        {engines?.length !== 0 && register}
      </div>
      {engines === null && <Loading />}
      {engines?.length === 0 && (
        <Empty icon={<Server size={32} aria-hidden="true" />} title={t("engines.empty")}>
          <p>{t("engines.emptyText")}</p>
          {register}
        </Empty>
      )}
      {engines && engines.length > 0 && (
        <ul className="plain-list engine-grid" aria-label={t("engines.mine")}>
          {engines.map((engine) => (
            <EngineCard key={engine.id} engine={engine} />
          ))}
        </ul>
      )}
      {shared.length > 0 && (
        <section className="stack">
          <h2>{t("engines.shared")}</h2>
          <ul className="plain-list engine-grid" aria-label={t("engines.shared")}>
            {shared.map((item) => (
              <EngineCard
                key={item.id}
                engine={{ id: item.id, name: item.name, status: item.status, last_seen: null }}
                shared={item}
              />
            ))}
          </ul>
        </section>
      )}
      {registering && <RegisterDialog onClose={() => setRegistering(false)} />}
    </div>
  );
}
