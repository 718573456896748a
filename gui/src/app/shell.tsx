import {
  AlarmClock,
  Braces,
  ChevronDown,
  Gauge,
  History,
  LayoutTemplate,
  LogOut,
  PencilRuler,
  ReceiptText,
  ScrollText,
  Server,
  Settings,
} from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation, useRoute } from "wouter";
import { shortAddress } from "@/crypto/address";
import { ClaimDialog } from "@/features/identity/claim-dialog";
import { useT, type Word } from "@/i18n/words";
import { Button } from "@/ui/button";
import { Menu } from "@/ui/menu";
import { useEngineOnline } from "./live";
import { useSession } from "./session";
import "./shell.css";

interface Place {
  path: string;
  word: Word;
  icon: typeof Server;
}

const PLACES: Place[] = [
  { path: "/dashboard", word: "nav.dashboard", icon: Gauge },
  { path: "/designer", word: "nav.designer", icon: PencilRuler },
  { path: "/runs", word: "nav.runs", icon: History },
  { path: "/presets", word: "nav.presets", icon: LayoutTemplate },
  { path: "/triggers", word: "nav.triggers", icon: AlarmClock },
  { path: "/variables", word: "nav.variables", icon: Braces },
  { path: "/engines", word: "nav.engines", icon: Server },
  { path: "/billing", word: "nav.billing", icon: ReceiptText },
  { path: "/audit", word: "nav.audit", icon: ScrollText },
  { path: "/settings", word: "nav.settings", icon: Settings },
];

function NavLink({ path, word, icon: Icon }: Place) {
  const t = useT();
  const [here] = useRoute(`${path}/*?`);
  const link = useRef<HTMLAnchorElement>(null);
  // on a phone the places are a row that is wider than the page
  useEffect(() => {
    if (here) link.current?.scrollIntoView?.({ block: "nearest", inline: "nearest" });
  }, [here]);
  return (
    <Link ref={link} href={path} className="shell-link" aria-current={here ? "page" : undefined}>
      <Icon size={20} aria-hidden="true" />
      <span className="shell-word">{t(word)}</span>
    </Link>
  );
}

function EngineMenu() {
  const t = useT();
  const { engines, shared: named, engineId, states, way, choose, loadShared } = useSession();
  const online = useEngineOnline();
  const [, go] = useLocation();
  const shared = Object.keys(states).filter((id) => !engines?.some((item) => item.id === id));
  const unnamed = shared.some((id) => !named.some((item) => item.id === id));
  // an engine that was shared just now
  useEffect(() => {
    if (unnamed) loadShared().catch(() => undefined); // then its id stands for it
  }, [unnamed, loadShared]);
  if (!engineId) return null;
  const nameOf = (id: string) => [...(engines ?? []), ...named].find((item) => item.id === id)?.name ?? id;
  const name = nameOf(engineId);
  const choices = [...(engines ?? []), ...shared.map((id) => ({ id, name: nameOf(id) }))];
  return (
    <Menu
      label={t("shell.engine")}
      trigger={
        <Button kind="quiet" size="small" className="button shell-engine" title={t("shell.engine")}>
          <span className="dot" data-on={online} aria-hidden="true" />
          <span className="shell-engine-name">{name}</span>
          <span className="visually-hidden">{t(online ? "engine.online" : "engine.offline")}</span>
          {way && online && (
            <span className="badge shell-way">{t(way === "direct" ? "shell.direct" : "shell.relay")}</span>
          )}
          <ChevronDown size={14} aria-hidden="true" />
        </Button>
      }
      items={[
        ...choices.map((item) => ({ label: item.name, onSelect: () => choose(item.id) })),
        {
          label: t("shell.manageEngines"),
          icon: <Server size={16} aria-hidden="true" />,
          onSelect: () => go("/engines"),
        },
      ]}
    />
  );
}

function IdentityMenu() {
  const t = useT();
  const { signer, signOut } = useSession();
  const [, go] = useLocation();
  if (!signer) return null;
  return (
    <Menu
      label={t("shell.identity")}
      trigger={
        <Button size="small" title={t("shell.identity")}>
          <span className="mono">{shortAddress(signer.address)}</span>
        </Button>
      }
      items={[
        {
          label: t("nav.settings"),
          icon: <Settings size={16} aria-hidden="true" />,
          onSelect: () => go("/settings"),
        },
        { label: t("identity.signOut"), icon: <LogOut size={16} aria-hidden="true" />, onSelect: signOut },
      ]}
    />
  );
}

/** What stands around every screen: where one is, which engine is in use, and who is signed in. */
export function Shell({ children }: { children: ReactNode }) {
  const t = useT();
  const connected = useSession((state) => state.connected);
  const [path] = useLocation();
  const here = PLACES.find((place) => path.startsWith(place.path));
  const title = here ? `${t(here.word)} · Flowork` : "Flowork";
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <div className="shell">
      <a className="shell-skip" href="#content">
        {t("shell.skip")}
      </a>
      <header className="shell-bar">
        <Link href="/" className="shell-brand" aria-label="Flowork">
          <img src="/icon.svg" alt="" />
          <span className="shell-name">Flowork</span>
        </Link>
        <span className="shell-fill" />
        {!connected && <output className="badge">{t("shell.reconnecting")}</output>}
        <EngineMenu />
        <IdentityMenu />
      </header>
      <nav className="shell-nav" aria-label={t("shell.places")}>
        {PLACES.map((place) => (
          <NavLink key={place.path} {...place} />
        ))}
      </nav>
      <main className="shell-main" id="content" tabIndex={-1}>
        {children}
      </main>
      <ClaimDialog />
    </div>
  );
}
