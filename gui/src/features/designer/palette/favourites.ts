/** The components that the person likes to have at hand; kept in this browser. */

import { create } from "zustand";

const PLACE = "flowork.designer.favourites";

interface FavouriteState {
  ids: ReadonlySet<string>;
  toggle(id: string): void;
}

function stored(): Set<string> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(PLACE) ?? "[]");
    return new Set(Array.isArray(found) ? found.filter((id) => typeof id === "string") : []);
  } catch {
    return new Set();
  }
}

export const useFavourites = create<FavouriteState>((set, get) => ({
  ids: stored(),
  toggle(id) {
    const ids = new Set(get().ids);
    if (!ids.delete(id)) ids.add(id);
    localStorage.setItem(PLACE, JSON.stringify([...ids]));
    set({ ids });
  },
}));
