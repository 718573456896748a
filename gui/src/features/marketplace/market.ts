/** The marketplace: workflows that people publish on this gateway for others. */

import type { RestClient } from "@/api/rest";
import type { MarketItem } from "@/contract/contract.gen";
import { type Workflow, readWorkflow } from "@/features/designer/document/workflow";

/** The type under which workflows are published. */
export const PRESET = "preset";

/** What is published of a workflow: its steps, connections and notes; nothing that was pinned or drafted. */
export function published(workflow: Workflow): { workflow_data: Workflow } {
  return { workflow_data: workflow };
}

/** Read what an item holds; rejects what is no workflow. */
export function workflowOf(data: unknown): Workflow {
  const held = data as { workflow_data?: unknown } | null;
  return readWorkflow(held?.workflow_data ?? data);
}

export async function listItems(rest: RestClient): Promise<MarketItem[]> {
  const found = await rest.call("list_items", { query: { type: PRESET } });
  return Array.isArray(found) ? found : found.items;
}

/** The items that fit a search, best liked first. */
export function found(items: readonly MarketItem[], text: string): MarketItem[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (item: MarketItem) => {
    const all = `${item.name} ${item.desc} ${item.author_name ?? ""} ${item.author}`.toLowerCase();
    return words.every((word) => all.includes(word));
  };
  const score = (item: MarketItem) => item.likes - item.dislikes;
  return items.filter(fits).sort((one, other) => score(other) - score(one));
}
