/** The components an engine has, and what a node of each looks like. */

import { create } from "zustand";
import { useSession } from "@/app/session";
import type { ComponentInfo, PortInfo } from "@/contract/contract.gen";
import type { WorkflowNode } from "../document/workflow";

export type Kind = "modules" | "plugins" | "triggers";
export const KINDS: Kind[] = ["modules", "triggers", "plugins"];

export interface Listed extends ComponentInfo {
  kind: Kind;
}

interface CatalogState {
  engineId: string | null;
  components: Listed[];
  byId: Record<string, Listed>;
  state: "idle" | "loading" | "ready" | "failed";
  problem: unknown;
  load(again?: boolean): Promise<void>;
}

export const useCatalog = create<CatalogState>((set, get) => ({
  engineId: null,
  components: [],
  byId: {},
  state: "idle",
  problem: null,
  async load(again = false) {
    const { engine } = useSession.getState();
    if (!engine || (!again && get().engineId === engine.engineId && get().state !== "failed")) return;
    set({ engineId: engine.engineId, state: "loading", problem: null });
    try {
      const answers = await Promise.all(
        KINDS.map((kind) => engine.request("request_components_list", { component_type: kind })),
      );
      const components = answers.flatMap((answer, place) =>
        answer.components
          .filter((info) => info.is_installed !== false)
          .map((info) => ({ ...info, kind: KINDS[place] ?? "modules" })),
      );
      components.sort((one, other) => one.name.localeCompare(other.name));
      set({
        components,
        byId: Object.fromEntries(components.map((info) => [info.id, info])),
        state: "ready",
      });
    } catch (problem) {
      set({ state: "failed", problem });
    }
  },
}));

export interface Ports {
  inputs: PortInfo[];
  outputs: PortInfo[];
}

const INPUT: PortInfo = { name: "input", display_name: "Input" };
const ERROR_NAMES = new Set(["error", "failure", "fail"]);
export const isErrorPort = (name: string): boolean => ERROR_NAMES.has(name);

/** The ports of a node: those of its component, and the ones its settings make (the rules of a switch). */
export function portsOf(node: WorkflowNode, component: Listed | undefined): Ports {
  if (!component) {
    return {
      inputs: [INPUT],
      outputs: [
        { name: "success", display_name: "Success" },
        { name: "error", display_name: "Error" },
      ],
    };
  }
  const { manifest } = component;
  const inputs = manifest.input_ports.length ? manifest.input_ports : [INPUT];
  const named = manifest.output_ports.filter((port) => !isErrorPort(port.name));
  const errors = manifest.output_ports.filter((port) => isErrorPort(port.name));
  const takesNone = manifest.requires_input === false || component.kind === "triggers";
  return { inputs: takesNone ? [] : inputs, outputs: [...madePorts(node, component), ...named, ...errors] };
}

function madePorts(node: WorkflowNode, { manifest }: Listed): PortInfo[] {
  const maker = manifest.ui_schema?.find((field) => typeof field.ports_from === "string");
  if (!maker) return [];
  const names = rows(node.config_values[String(maker.id)]).map((row) => row[String(maker.ports_from)]);
  const texts = names.filter((name): name is string => typeof name === "string" && name !== "");
  return [...new Set(texts)].map((name) => ({ name, display_name: name }));
}

function rows(value: unknown): Record<string, unknown>[] {
  try {
    const list: unknown = typeof value === "string" ? JSON.parse(value) : value;
    return Array.isArray(list) ? list.filter((row) => typeof row === "object" && row !== null) : [];
  } catch {
    return [];
  }
}

/** A new node's settings: the defaults of the component's form. */
export function defaultsOf(component: Listed): Record<string, unknown> {
  const { properties } = component.manifest;
  return Object.fromEntries(
    properties
      .filter((field) => field.default !== null && field.default !== undefined)
      .map((field) => [field.id, field.default]),
  );
}

export function iconOf(component: Pick<Listed, "id" | "kind">, engineId: string): string {
  const target = `/api/v1/components/${component.kind}/${encodeURIComponent(component.id)}/icon`;
  return `${target}?engine_id=${encodeURIComponent(engineId)}`;
}

/** What people call things elsewhere, by the ids of components that do it. */
const SYNONYMS: Record<string, string> = {
  if_condition: "condition branch decision router gate",
  switch: "router route case branch",
  for_each: "loop iterate map over items splitInBatches",
  while_loop: "loop repeat until",
  set_fields: "edit fields assign change rename variables",
  static_data_provider_module: "constant inject input values",
  http_request: "api rest fetch curl call url graphql",
  webhook_trigger: "http in endpoint callback form",
  webhook_response: "respond answer reply http out",
  cron_trigger: "schedule timer interval every time",
  function_runner_module: "code script python",
  run_javascript: "code script function node js",
  shell_command: "exec execute bash terminal program",
  debug_popup_module: "print log inspect show",
  delay: "sleep pause wait",
  wait_until: "sleep pause timer schedule",
  manual_approval: "human confirm review ask form",
  sub_workflow: "call workflow subflow execute",
  sql_query: "database postgres sqlite select",
  send_email: "mail smtp notify",
  fetch_email: "mail imap inbox",
  stop_with_error: "fail throw abort",
  template: "text jinja mustache html report",
  ai_chat: "llm gpt openai chatgpt language model",
  ai_agent: "llm gpt tools assistant",
};

/** The components that fit a search, best first. */
export function search(components: Listed[], text: string): Listed[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return components;
  const scored = components.flatMap((info) => {
    const name = info.name.toLowerCase();
    const about = Object.hasOwn(SYNONYMS, info.id) ? SYNONYMS[info.id] : "";
    const rest = `${info.id} ${info.description} ${info.manifest.category} ${about}`.toLowerCase();
    const points = words.map((word) =>
      name.startsWith(word) ? 3 : name.includes(word) ? 2 : rest.includes(word) ? 1 : 0,
    );
    return points.includes(0)
      ? []
      : [{ info, points: points.reduce<number>((sum, point) => sum + point, 0) }];
  });
  return scored.sort((one, other) => other.points - one.points).map(({ info }) => info);
}
