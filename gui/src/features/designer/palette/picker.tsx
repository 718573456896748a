import { useSession } from "@/app/session";
import { useT } from "@/i18n/words";
import { Dialog } from "@/ui/dialog";
import { addComponent } from "../document/actions";
import { useView } from "../view";
import { iconOf, type Listed, search, useCatalog } from "./catalog";
import { Chooser } from "./chooser";
import { useFavourites } from "./favourites";

/** Choose the component that comes to where the person pointed; only those that fit the wire are offered. */
export function Picker() {
  const t = useT();
  const { aim, show } = useView();
  const components = useCatalog((state) => state.components);
  const favourites = useFavourites((state) => state.ids);
  const engineId = useSession((state) => state.engineId) ?? "";
  const needsInput = aim?.wire !== undefined || aim?.from?.end === "source";
  const offered = components.filter((item) => !item.is_paused && (!needsInput || takesInput(item)));
  const ordered = [...offered].sort(
    (one, other) => Number(favourites.has(other.id)) - Number(favourites.has(one.id)),
  );
  return (
    <Dialog open={aim !== null} onClose={() => show({ aim: null })} title={t("designer.addStep")}>
      <Chooser
        label={t("designer.search")}
        nothing={t("designer.nothingFound")}
        choices={(text) =>
          search(ordered, text).map((item) => ({
            id: item.id,
            label: item.name,
            about: item.description,
            icon: <img src={iconOf(item, engineId)} alt="" loading="lazy" />,
          }))
        }
        onChoose={(id) => {
          const component = components.find((item) => item.id === id);
          if (component && aim) addComponent(component, aim);
          show({ aim: null });
        }}
      />
    </Dialog>
  );
}

const takesInput = (item: Listed): boolean =>
  item.kind !== "triggers" && item.manifest.requires_input !== false;
