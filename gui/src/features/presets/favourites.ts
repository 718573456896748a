/** The presets that the person likes to have at hand; the gateway keeps them, so other browsers have them too. */

import { create } from "zustand";
import { useSession } from "@/app/session";

interface FavouriteState {
  names: ReadonlySet<string>;
  load(): Promise<void>;
  /** Take a preset in, or out; what could not be kept is undone. */
  toggle(name: string): Promise<void>;
}

export const useFavouritePresets = create<FavouriteState>((set, get) => ({
  names: new Set(),
  async load() {
    set({ names: new Set(await useSession.getState().rest.call("get_favorite_presets")) });
  },
  async toggle(name) {
    const before = get().names;
    const names = new Set(before);
    if (!names.delete(name)) names.add(name);
    set({ names });
    try {
      await useSession.getState().rest.call("put_favorite_presets", { body: [...names] });
    } catch (error) {
      set({ names: before });
      throw error;
    }
  },
}));

/** The same presets, favourites in front. */
export function favouritesFirst<Item extends { name: string }>(
  items: readonly Item[],
  favourites: ReadonlySet<string>,
): Item[] {
  const rank = ({ name }: Item) => (favourites.has(name) ? 0 : 1);
  return [...items].sort((one, other) => rank(one) - rank(other));
}
