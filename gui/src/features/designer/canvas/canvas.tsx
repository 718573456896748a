import {
  type Connection,
  ConnectionLineType,
  Controls,
  type EdgeChange,
  type FinalConnectionState,
  MiniMap,
  type NodeChange,
  type NodePositionChange,
  type OnNodeDrag,
  ReactFlow,
  type ReactFlowInstance,
  SelectionMode,
  useReactFlow,
  type Viewport,
} from "@xyflow/react";
import { type DragEvent, type MouseEvent, useCallback, useEffect, useMemo, useState } from "react";
import { useTheme } from "@/app/theme";
import { useT } from "@/i18n/words";
import { addComponent, connectSteps, firstPorts } from "../document/actions";
import { connect, GRID, insertOnWire, move, nodeOf, type Place } from "../document/edits";
import { carried } from "../document/groups";
import { NODE_HEIGHT, NODE_WIDTH } from "../document/layout";
import { useDocument, useWorkflow, workflowNow } from "../document/store";
import { useCatalog } from "../palette/catalog";
import { useRun } from "../run/store";
import { useAsMap, useView } from "../view";
import { CanvasMenu } from "./canvas-menu";
import { Dots } from "./dots";
import { useAfar, useFar } from "./far";
import { FarView } from "./far-view";
import { LargeMap } from "./large-map";
import { LoopFrames } from "./loop-frames";
import { applyChanges, type CanvasNode, isLarge, syncNodes, wiresOf } from "./model";
import { NoteNode } from "./note-node";
import { useSteadyView } from "./steady-view";
import { usePinch } from "./pinch";
import { Step } from "./step";
import { Wire, type WireEdge } from "./wire";
import "@xyflow/react/dist/style.css";
import "./canvas.css";
import "./large.css";

export const DRAG_TYPE = "application/x-flowork-component";
const NODE_TYPES = { step: Step, note: NoteNode };
const EDGE_TYPES = { wire: Wire };
const SNAP: [number, number] = [GRID, GRID];
const MIDDLE = [1];
/** From here on texts are too small to read and are left out. */
const FAR = 0.35;
/** How near to a port a connection must end, seen from afar. */
const FAR_RADIUS = 90;
const NO_WIRES: WireEdge[] = [];
const REST_MS = 600;
const FIT = { maxZoom: 1, padding: 0.2 };
const MULTI_KEYS = ["Shift", "Meta", "Control"];

/** The drawing of the workflow; every change goes through the document, so that it can be undone. */
export function Canvas({ readOnly = false }: { readOnly?: boolean }) {
  const t = useT();
  const workflow = useWorkflow();
  const chosen = useDocument((state) => state.chosen);
  const byId = useCatalog((state) => state.byId);
  const asMap = useAsMap();
  const dark = useTheme(({ theme }) => theme) && document.documentElement.dataset.theme === "dark";
  const flow = useReactFlow();
  const [nodes, setNodes] = useState<CanvasNode[]>(() => syncNodes([], workflow, chosen, byId));
  useEffect(() => setNodes((before) => syncNodes(before, workflow, chosen, byId)), [workflow, chosen, byId]);
  useEffect(() => bringIntoView(flow, chosen), [flow, chosen]);
  usePinch();
  useSteadyView(useCallback(() => void flow.fitView(FIT), [flow]));
  const edges = useMemo(() => wiresOf(workflow, byId, chosen), [workflow, byId, chosen]);

  const onNodesChange = useCallback(
    (changes: NodeChange<CanvasNode>[]) => {
      const own = changes.filter((change) => change.type !== "remove");
      const kept = [...own, ...takenAlong(own, flow.getNodes() as CanvasNode[])];
      setNodes((before) => applyChanges(kept, before));
      chooseBy(changes);
      const moved = new Map<string, Place>();
      for (const change of kept) {
        // Moves of the keyboard come without a drag; those of the pointer are kept when it lets go.
        if (change.type === "position" && change.position && change.dragging === false)
          moved.set(change.id, change.position);
      }
      if (moved.size) useDocument.getState().edit((current) => move(current, moved), "move");
    },
    [flow],
  );
  const many = isLarge(workflow);
  const afar = useAfar();
  useEffect(() => useFar.setState({ large: many }), [many]);
  useEffect(() => () => useFar.setState({ far: false, large: false }), []);
  const onMove = useCallback((_: unknown, { zoom }: Viewport) => {
    mark("far", zoom < FAR);
    if (useFar.getState().far !== zoom < FAR) useFar.setState({ far: zoom < FAR });
  }, []);
  const onEdgesChange = useCallback((changes: EdgeChange[]) => chooseBy(changes), []);

  const onConnect = useCallback((made: Connection) => {
    const wire = {
      source: made.source,
      target: made.target,
      sourcePort: made.sourceHandle,
      targetPort: made.targetHandle,
    };
    useDocument.getState().edit((current) => connect(current, wire));
  }, []);

  const onConnectEnd = useCallback(
    (event: globalThis.MouseEvent | TouchEvent, state: FinalConnectionState) => {
      if (state.isValid || state.toNode || !state.fromNode || !state.fromHandle) return;
      const point = "changedTouches" in event ? event.changedTouches[0] : event;
      if (!point) return;
      const end = state.fromHandle.type;
      const from = { node: state.fromNode.id, port: state.fromHandle.id ?? null, end };
      const under = idUnder(".react-flow__node", point.clientX, point.clientY);
      if (under) return connectSteps(from, under);
      const place = flow.screenToFlowPosition({ x: point.clientX, y: point.clientY });
      useView
        .getState()
        .show({ aim: { place: end === "source" ? place : { x: place.x - 220, y: place.y }, from } });
    },
    [flow],
  );

  const onDrop = (event: DragEvent) => {
    const component = useCatalog.getState().byId[event.dataTransfer.getData(DRAG_TYPE)];
    if (!component) return;
    event.preventDefault();
    const place = flow.screenToFlowPosition({ x: event.clientX - 40, y: event.clientY - 20 });
    const wire = wireUnder(event.clientX, event.clientY);
    addComponent(component, wire ? { place, wire } : { place });
  };

  const onDoubleClick = (event: MouseEvent) => {
    if (!(event.target instanceof Element) || !event.target.classList.contains("react-flow__pane")) return;
    useView
      .getState()
      .show({ aim: { place: flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }) } });
  };

  return (
    <CanvasMenu>
      <section
        className="canvas"
        data-many={many}
        aria-label={t("designer.canvas")}
        onDragOver={(event) => {
          event.preventDefault();
          event.dataTransfer.dropEffect = "copy";
        }}
        onDrop={onDrop}
        onDoubleClick={onDoubleClick}
      >
        <ReactFlow
          nodes={nodes}
          edges={afar ? NO_WIRES : edges}
          nodeTypes={NODE_TYPES}
          edgeTypes={EDGE_TYPES}
          onNodesChange={onNodesChange}
          onEdgesChange={onEdgesChange}
          onConnect={onConnect}
          onConnectEnd={onConnectEnd}
          onNodeClick={chooseOne}
          onNodeDoubleClick={openStep}
          onEdgeDoubleClick={peekInto}
          onNodeDragStop={onDropped}
          onMoveStart={onMoveStart}
          onMove={onMove}
          onMoveEnd={onMoveEnd}
          nodesDraggable={!readOnly}
          nodesConnectable={!readOnly}
          deleteKeyCode={null}
          disableKeyboardA11y
          multiSelectionKeyCode={MULTI_KEYS}
          selectionOnDrag={!asMap}
          panOnDrag={asMap || MIDDLE}
          panOnScroll={!asMap}
          selectionMode={SelectionMode.Partial}
          zoomOnDoubleClick={false}
          snapToGrid
          snapGrid={SNAP}
          connectionLineType={ConnectionLineType.Bezier}
          connectionRadius={afar ? FAR_RADIUS : 28}
          minZoom={0.1}
          maxZoom={2}
          fitView
          fitViewOptions={FIT}
          onlyRenderVisibleElements={many}
          colorMode={dark ? "dark" : "light"}
        >
          <LoopFrames nodes={nodes} />
          {afar && <FarView nodes={nodes} edges={edges} />}
          <Dots />
          <Controls showInteractive={false} />
          {many ? (
            <LargeMap nodes={nodes} />
          ) : (
            <MiniMap pannable zoomable className="canvas-map" ariaLabel={t("designer.map")} />
          )}
        </ReactFlow>
      </section>
    </CanvasMenu>
  );
}

// These stay the same for every drawing: with new ones each of many steps would be drawn again while one is dragged.
const chooseOne = (event: MouseEvent, { id }: CanvasNode) => {
  // A plain click on one of several chosen steps means that one.
  if (!event.shiftKey && !event.ctrlKey && !event.metaKey) useDocument.getState().choose([id]);
};
const openStep = (_: unknown, { id, type }: CanvasNode) =>
  type === "step" && useDocument.getState().openNode(id);
const peekInto = (_: unknown, { id }: WireEdge) =>
  useRun.getState().jobId && useView.getState().show({ peek: id });
const onDropped: OnNodeDrag<CanvasNode> = (event, { id }) =>
  "clientX" in event && dropOnWire(id, event.clientX, event.clientY);

/** Tell the style sheet how the canvas is looked at; without React, because it happens with every frame. */
function mark(name: "moving" | "far", value: boolean): void {
  const canvas = document.querySelector<HTMLElement>(".canvas");
  if (canvas && canvas.dataset[name] !== String(value)) canvas.dataset[name] = String(value);
}

let resting: ReturnType<typeof setTimeout> | undefined;
const onMoveStart = () => {
  clearTimeout(resting);
  mark("moving", true);
};
/** A wheel ends a move after each notch: what is a layer stays one for a moment, or all would be painted each time. */
const onMoveEnd = () => {
  clearTimeout(resting);
  resting = setTimeout(() => mark("moving", false), REST_MS);
};

/** Move the view to a single chosen step that is out of sight, as after adding it or walking there. */
function bringIntoView(flow: ReactFlowInstance, chosen: ReadonlySet<string>): void {
  const [id] = chosen;
  const node = id && chosen.size === 1 ? nodeOf(workflowNow(), id) : undefined;
  const box = document.querySelector(".canvas")?.getBoundingClientRect();
  if (!node || !box) return;
  const from = flow.flowToScreenPosition({ x: node.x, y: node.y });
  const to = flow.flowToScreenPosition({ x: node.x + NODE_WIDTH, y: node.y + NODE_HEIGHT });
  if (from.x >= box.left && from.y >= box.top && to.x <= box.right && to.y <= box.bottom) return;
  const middle = { x: node.x + NODE_WIDTH / 2, y: node.y + NODE_HEIGHT / 2 };
  void flow.setCenter(middle.x, middle.y, { zoom: Math.min(flow.getZoom(), 1), duration: 200 });
}

/** The changes of the steps whose group is moved. */
function takenAlong(changes: readonly NodeChange<CanvasNode>[], now: CanvasNode[]): NodePositionChange[] {
  const moves = changes.flatMap((change) =>
    change.type === "position" && change.position ? [{ ...change, position: change.position }] : [],
  );
  const dragging = moves.some((change) => change.dragging);
  return carried(moves, now).map((item) => ({ ...item, type: "position", dragging }));
}

/** Follow the canvas when it selects something. */
function chooseBy(changes: readonly (NodeChange<CanvasNode> | EdgeChange)[]): void {
  const picked = changes.filter((change) => change.type === "select");
  if (picked.length === 0) return;
  const { chosen, choose } = useDocument.getState();
  const next = new Set(chosen);
  for (const change of picked) {
    if (change.selected) next.add(change.id);
    else next.delete(change.id);
  }
  choose(next);
}

/** The connection or step that is drawn at a point of the screen. */
function idUnder(what: ".react-flow__edge" | ".react-flow__node", x: number, y: number): string | undefined {
  const found = document.elementsFromPoint(x, y).map((element) => element.closest(what));
  return found.find((element) => element !== null)?.getAttribute("data-id") ?? undefined;
}
const wireUnder = (x: number, y: number) => idUnder(".react-flow__edge", x, y);

/** A node without connections that is dropped on a wire goes into it. */
function dropOnWire(nodeId: string, x: number, y: number): void {
  const wire = wireUnder(x, y);
  const workflow = workflowNow();
  const node = nodeOf(workflow, nodeId);
  const alone = !workflow.connections.some(({ source, target }) => source === nodeId || target === nodeId);
  if (!wire || !node || !alone) return;
  useDocument.getState().edit((current) => insertOnWire(current, wire, nodeId, firstPorts(node)), "move");
}
