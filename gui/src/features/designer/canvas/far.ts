/** Whether a large workflow is looked at from afar: then steps are shapes, drawn all together. */

import { create } from "zustand";

/**
 * A store and no state of the canvas: it changes with the view itself, so that no view from afar is ever drawn in full.
 */
export const useFar = create<{ far: boolean; large: boolean }>(() => ({ far: false, large: false }));

export const useAfar = (): boolean => useFar(({ far, large }) => far && large);
