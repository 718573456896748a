import { Server } from "lucide-react";
import { useSession } from "@/app/session";
import { useT } from "@/i18n/words";
import { Badge, Empty } from "@/ui/badge";

/** The engines one owns, with their state. */
export default function Engines() {
  const t = useT();
  const { engines, states } = useSession();
  return (
    <div className="page">
      <h1>{t("engines.title")}</h1>
      {engines?.length === 0 && (
        <Empty icon={<Server size={32} aria-hidden="true" />} title={t("engines.empty")}>
          <p>{t("engines.emptyText")}</p>
        </Empty>
      )}
      <ul className="stack">
        {engines?.map((engine) => {
          const online = states[engine.id]?.online ?? engine.status === "online";
          return (
            <li key={engine.id} className="card spread">
              <strong>{engine.name}</strong>
              <Badge tone={online ? "good" : "plain"}>{t(online ? "engine.online" : "engine.offline")}</Badge>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
