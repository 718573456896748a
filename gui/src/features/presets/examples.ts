/** The workflows that come with the platform: those of /examples and the example of each component. */

interface ExampleFile {
  name?: string;
  description?: string;
  nodes: unknown[];
  connections: unknown[];
  global_loop_config?: object;
  initial_payload?: unknown;
}

export interface Example {
  id: string;
  name: string;
  description: string;
  steps: number;
  /** A whole workflow, rather than a look at one component. */
  complete: boolean;
  workflow: Record<string, unknown>;
}

const WHOLE = import.meta.glob<ExampleFile>("../../../../examples/*.json", {
  eager: true,
  import: "default",
});
const SINGLE = import.meta.glob<ExampleFile>("../../../../core_engine/components/builtin/*/example.json", {
  eager: true,
  import: "default",
});

const titleOf = (id: string): string => {
  const words = id.replace(/_module$/, "").replace(/[-_]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

function exampleOf(id: string, file: ExampleFile, complete: boolean): Example {
  const { name, description, ...workflow } = file;
  return {
    id,
    name: name ?? titleOf(id),
    description: description ?? "",
    steps: file.nodes.length,
    complete,
    workflow,
  };
}

/** All examples: whole workflows first, then by name. */
export const EXAMPLES: Example[] = [
  ...Object.entries(WHOLE).map(([path, file]) => exampleOf(path.replace(/^.*\/|\.json$/g, ""), file, true)),
  ...Object.entries(SINGLE).map(([path, file]) => exampleOf(path.split("/").at(-2) ?? path, file, false)),
].sort((one, other) => Number(other.complete) - Number(one.complete) || one.name.localeCompare(other.name));

/** A name for a preset that none of these has yet. */
export function freeName(wanted: string, taken: string[]): string {
  const used = new Set(taken.map((name) => name.toLowerCase()));
  if (!used.has(wanted.toLowerCase())) return wanted;
  let turn = 2;
  while (used.has(`${wanted} ${turn}`.toLowerCase())) turn++;
  return `${wanted} ${turn}`;
}
