/** Who else has the preset on the canvas open, and what came of saving at the same time. */

import { create } from "zustand";
import type { Companion, PresetCompany } from "@/contract/contract.gen";
import type { Clash } from "../save/merge";

/** Somebody else; `color` is one of a few, the same for a person wherever there are not two of that color. */
export interface Person extends Companion {
  color: number;
}

interface CompanyState {
  people: readonly Person[];
  /** How many more there are than are listed. */
  more: number;
  /** Why one neither sees the others nor is seen; null where one takes part. */
  apart: "asks" | "ended" | null;
  /** Who has chosen a step or another item of the canvas. */
  byItem: Readonly<Record<string, readonly Person[]>>;
  /** What somebody else and I have both changed; who and in which version. */
  clashes: readonly Clash[];
  from: { author: string | null; version: number } | null;
  /** Whether the sheet that settles clashes is shown. */
  asking: boolean;
}

const NOBODY = { people: [], more: 0, byItem: {} };
export const useCompany = create<CompanyState>(() => ({
  ...NOBODY,
  apart: null,
  clashes: [],
  from: null,
  asking: false,
}));

const COLORS = 8;

/** One color for one person, whoever looks. */
export function colorOf({ address, id }: Pick<Companion, "address" | "id">): number {
  let sum = 0;
  for (const sign of (address ?? id).toLowerCase()) sum = (sum * 31 + sign.charCodeAt(0)) % 65_521;
  return sum % COLORS;
}

/** Give different people different colors, as far as these reach. */
function colored(people: readonly Companion[]): Person[] {
  const taken = new Map<number, string>();
  return people.map((one) => {
    const who = one.address ?? one.id;
    let color = colorOf(one);
    for (let tries = 0; tries < COLORS && taken.has(color) && taken.get(color) !== who; tries++) {
      color = (color + 1) % COLORS;
    }
    taken.set(color, who);
    return { ...one, color };
  });
}

export function noteCompany({ people, you, more = 0 }: PresetCompany): void {
  const others = colored(people.filter(({ id }) => id !== you));
  const byItem: Record<string, Person[]> = {};
  for (const person of others) {
    for (const id of person.selected) {
      byItem[id] ??= [];
      byItem[id].push(person);
    }
  }
  useCompany.setState({ people: others, more, byItem });
}

export const noteNobody = (): void => useCompany.setState(NOBODY);
export const noteApart = (apart: CompanyState["apart"]): void => useCompany.setState({ apart });

export function noteClashes(
  clashes: readonly Clash[],
  from: { author: string | null; version: number } | null,
): void {
  useCompany.setState({ clashes, from, asking: false });
}
