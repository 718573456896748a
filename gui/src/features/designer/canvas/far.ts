/** Whether a large workflow is looked at from afar: then steps are shapes, drawn all together. */

import { create } from "zustand";

export const useFar = create<{ afar: boolean }>(() => ({ afar: false }));
