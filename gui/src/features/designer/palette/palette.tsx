import { useReactFlow } from "@xyflow/react";
import { RefreshCw, Star } from "lucide-react";
import { useMemo, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { DRAG_TYPE } from "../canvas/canvas";
import { addComponent, nextAim } from "../document/actions";
import { isWide, useView } from "../view";
import { iconOf, type Listed, search, useCatalog } from "./catalog";
import { useFavourites } from "./favourites";
import "./palette.css";

/** The components of the engine by category: click one, or drag it onto the canvas. */
export function Palette() {
  const t = useT();
  const { components, state, problem, load } = useCatalog();
  const favourites = useFavourites((store) => store.ids);
  const [text, setText] = useState("");
  const groups = useMemo(
    () => grouped(search(components, text), favourites, t("designer.favourites")),
    [components, text, favourites, t],
  );
  return (
    <aside className="palette" aria-label={t("designer.palette")}>
      <div className="palette-head">
        <input
          className="input"
          type="search"
          placeholder={t("designer.search")}
          aria-label={t("designer.search")}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Button
          kind="quiet"
          size="icon"
          aria-label={t("designer.reloadComponents")}
          onClick={() => void load(true)}
        >
          <RefreshCw size={16} aria-hidden="true" />
        </Button>
      </div>
      {state === "loading" && <output className="spinner" aria-label={t("designer.loadingComponents")} />}
      {state === "failed" && (
        <Notice tone="bad">
          {t("designer.noComponents")} {sentenceOf(problem)}
        </Notice>
      )}
      {state === "ready" && groups.length === 0 && <p className="field-hint">{t("designer.nothingFound")}</p>}
      {groups.map(([name, items]) => (
        <section key={name}>
          <h2>{name}</h2>
          <ul>
            {items.map((item) => (
              <PaletteItem key={item.id} component={item} favourite={favourites.has(item.id)} />
            ))}
          </ul>
        </section>
      ))}
    </aside>
  );
}

function PaletteItem({ component, favourite }: { component: Listed; favourite: boolean }) {
  const t = useT();
  const flow = useReactFlow();
  const engineId = useSession((state) => state.engineId) ?? "";
  const add = () => {
    const box = document.querySelector(".canvas")?.getBoundingClientRect();
    const middle = box
      ? flow.screenToFlowPosition({ x: box.x + box.width / 2 - 110, y: box.y + box.height / 2 - 40 })
      : { x: 0, y: 0 };
    addComponent(component, nextAim(middle));
    if (!isWide()) useView.getState().show({ palette: false });
  };
  return (
    <li className="palette-item">
      <button
        type="button"
        className="palette-add"
        draggable
        title={component.description}
        disabled={component.is_paused}
        onDragStart={(event) => {
          event.dataTransfer.setData(DRAG_TYPE, component.id);
          event.dataTransfer.effectAllowed = "copy";
        }}
        onClick={add}
      >
        <img src={iconOf(component, engineId)} alt="" loading="lazy" draggable={false} />
        <span>{component.name}</span>
      </button>
      <button
        type="button"
        className="palette-star"
        aria-pressed={favourite}
        aria-label={t("designer.favourite", { name: component.name })}
        onClick={() => useFavourites.getState().toggle(component.id)}
      >
        <Star size={14} aria-hidden="true" />
      </button>
    </li>
  );
}

function grouped(components: Listed[], favourites: ReadonlySet<string>, first: string): [string, Listed[]][] {
  const groups = new Map<string, Listed[]>();
  const liked = components.filter((item) => favourites.has(item.id));
  if (liked.length) groups.set(first, liked);
  const ordered = [...components].sort((one, other) =>
    one.manifest.category.localeCompare(other.manifest.category),
  );
  for (const item of ordered) {
    const name = item.kind === "triggers" ? "Triggers" : item.manifest.category;
    const list = groups.get(name);
    if (list) list.push(item);
    else groups.set(name, [item]);
  }
  return [...groups];
}
