import { LogOut, PencilRuler, Server } from "lucide-react";
import type { ReactNode } from "react";
import { Link, useRoute } from "wouter";
import { shortAddress } from "@/crypto/address";
import { useT, type Word } from "@/i18n/words";
import { Button } from "@/ui/button";
import { Menu } from "@/ui/menu";
import { useSession } from "./session";
import "./shell.css";

interface Place {
  path: string;
  word: Word;
  icon: typeof Server;
}

const PLACES: Place[] = [
  { path: "/designer", word: "nav.designer", icon: PencilRuler },
  { path: "/engines", word: "nav.engines", icon: Server },
];

function NavLink({ path, word, icon: Icon }: Place) {
  const t = useT();
  const [here] = useRoute(`${path}/*?`);
  return (
    <Link href={path} className="shell-link" aria-current={here ? "page" : undefined}>
      <Icon size={20} aria-hidden="true" />
      {t(word)}
    </Link>
  );
}

/** What stands around every screen: where one is, which engine is in use, and who is signed in. */
export function Shell({ children }: { children: ReactNode }) {
  const t = useT();
  const { signer, signOut, engines, engineId, states, way, connected, choose } = useSession();
  const engine = engines?.find((item) => item.id === engineId);
  const online = engineId ? (states[engineId]?.online ?? engine?.status === "online") : false;
  return (
    <div className="shell">
      <header className="shell-bar">
        <Link href="/" className="shell-brand">
          <img src="/icon.svg" alt="" />
          Flowork
        </Link>
        <span className="shell-fill" />
        {!connected && <output className="badge">{t("shell.reconnecting")}</output>}
        {engine && (
          <Menu
            label={t("shell.engine")}
            trigger={
              <Button kind="quiet" size="small">
                <span className="dot" data-on={online} aria-hidden="true" />
                {engine.name}
                <span className="visually-hidden">{t(online ? "engine.online" : "engine.offline")}</span>
                {way === "direct" && <span className="badge">{t("shell.direct")}</span>}
              </Button>
            }
            items={(engines ?? []).map((item) => ({ label: item.name, onSelect: () => choose(item.id) }))}
          />
        )}
        {signer && (
          <Menu
            label={t("shell.identity")}
            trigger={<Button size="small">{shortAddress(signer.address)}</Button>}
            items={[
              {
                label: t("identity.signOut"),
                icon: <LogOut size={16} aria-hidden="true" />,
                onSelect: signOut,
              },
            ]}
          />
        )}
      </header>
      <nav className="shell-nav" aria-label={t("shell.places")}>
        {PLACES.map((place) => (
          <NavLink key={place.path} {...place} />
        ))}
      </nav>
      <main className="shell-main">{children}</main>
    </div>
  );
}
