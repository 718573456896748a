import { LayoutTemplate, Plus, Store } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { Link } from "wouter";
import { useLive } from "@/app/live";
import { Loaded, Loading, NeedEngine } from "@/app/need-engine";
import { useSession } from "@/app/session";
import type { PresetItem } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Empty } from "@/ui/badge";
import { TextField } from "@/ui/field";
import { tellError } from "@/ui/toasts";
import { favouritesFirst, useFavouritePresets } from "./favourites";
import { PresetCard } from "./preset-card";
import "./presets.css";

const ExampleList = lazy(() => import("./example-list"));

/** The saved workflows of the engine, and examples to start from. */
export default function Presets() {
  const t = useT();
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{t("presets.title")}</h1>
          <p>{t("presets.about")}</p>
        </div>
        <div className="row">
          <Link href="/marketplace" className="button">
            <Store size={16} aria-hidden="true" />
            {t("nav.marketplace")}
          </Link>
          <Link href="/designer" className="button" data-kind="primary">
            <Plus size={16} aria-hidden="true" />
            {t("presets.new")}
          </Link>
        </div>
      </div>
      <NeedEngine>
        <PresetLists />
      </NeedEngine>
    </div>
  );
}

function PresetLists() {
  const t = useT();
  const engineId = useSession((state) => state.engineId);
  const engine = useSession((state) => state.engine);
  const { names: favourites, load: loadFavourites } = useFavouritePresets();
  useEffect(() => {
    loadFavourites().catch(tellError);
  }, [loadFavourites]);
  const [text, setText] = useState("");
  const live = useLive(
    async () => (await engine?.request("request_presets_list", {}))?.presets ?? [],
    [engineId],
  );
  const wanted = text.trim().toLowerCase();
  return (
    <>
      <div className="preset-search">
        <TextField
          label={t("presets.search")}
          type="search"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <Loaded live={live}>
        {(presets) => (
          <>
            <OwnPresets
              presets={favouritesFirst(presets, favourites).filter(({ name }) =>
                name.toLowerCase().includes(wanted),
              )}
              filtered={wanted !== ""}
              onChanged={live.set}
            />
            <section className="stack">
              <h2>{t("presets.examples")}</h2>
              <Suspense fallback={<Loading />}>
                <ExampleList taken={presets.map(({ name }) => name)} wanted={wanted} />
              </Suspense>
            </section>
          </>
        )}
      </Loaded>
    </>
  );
}

interface OwnProps {
  presets: PresetItem[];
  filtered: boolean;
  onChanged(presets: PresetItem[]): void;
}

function OwnPresets({ presets, filtered, onChanged }: OwnProps) {
  const t = useT();
  if (presets.length === 0) {
    const icon = <LayoutTemplate size={32} aria-hidden="true" />;
    return (
      <Empty icon={icon} title={t(filtered ? "presets.noneFound" : "presets.none")}>
        <p>{t(filtered ? "presets.noneFoundText" : "presets.noneText")}</p>
      </Empty>
    );
  }
  return (
    <section className="stack">
      <h2>{t("presets.mine")}</h2>
      <ul className="plain-list preset-grid" aria-label={t("presets.mine")}>
        {presets.map((preset) => (
          <PresetCard key={preset.id} preset={preset} onChanged={onChanged} />
        ))}
      </ul>
    </section>
  );
}
