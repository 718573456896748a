import { ReactFlowProvider } from "@xyflow/react";
import { useEffect } from "react";
import { useEngineOnline } from "@/app/live";
import { useSession } from "@/app/session";
import { PublishDialog } from "@/features/marketplace/publish-dialog";
import { useT } from "@/i18n/words";
import { BroughtSheet } from "./bring/report";
import { Canvas } from "./canvas/canvas";
import { useDocument, useWorkflow } from "./document/store";
import { useEditor } from "./editor";
import { Keys } from "./keys/keys";
import { Sheets } from "./keys/sheets";
import { ListView } from "./list/list-view";
import { useCatalog } from "./palette/catalog";
import { Palette } from "./palette/palette";
import { Picker } from "./palette/picker";
import { NodePanel } from "./panel/node-panel";
import { Approvals } from "./run/approvals";
import { LogPanel } from "./run/log-panel";
import { PeekSheet } from "./run/peek-sheet";
import { Popups } from "./run/popups";
import { ConflictSheet } from "./save/conflict-sheet";
import { SaveSheet } from "./save/save-sheet";
import { VersionsSheet } from "./save/versions-sheet";
import { Clashes } from "./together/clashes";
import { useTogether } from "./together/watch";
import { Toolbar } from "./toolbar";
import { useView } from "./view";
import "./designer.css";

/** Where workflows are drawn, run and watched. */
export default function Designer({ params }: { params?: { preset?: string | undefined } }) {
  const t = useT();
  const engine = useSession((state) => state.engine);
  const load = useCatalog((state) => state.load);
  const online = useEngineOnline();
  // what could not be read comes when the engine is back
  useEffect(() => {
    if (engine) void load();
  }, [engine, online, load]);
  useEditor(params?.preset);
  useTogether();
  const { palette, list, log } = useView();
  return (
    <ReactFlowProvider>
      <div className="designer" data-palette={palette} data-list={list} data-log={log}>
        <h1 className="visually-hidden">{t("nav.designer")}</h1>
        <Toolbar />
        {palette && <Palette />}
        <div className="designer-middle">
          <Canvas />
          <Start />
          <Clashes />
        </div>
        {list && <ListView />}
        {log && <LogPanel />}
      </div>
      <Keys />
      <Picker />
      <Sheets />
      <NodePanel />
      <PeekSheet />
      <Popups />
      <Approvals />
      <SaveSheet />
      <VersionsSheet />
      <ConflictSheet />
      <BroughtSheet />
      <PublishSheet />
    </ReactFlowProvider>
  );
}

/** Publishes what was saved for everybody on this gateway. */
function PublishSheet() {
  const { sheet, show } = useView();
  const preset = useDocument((state) => state.preset);
  if (sheet !== "publish" || preset === null) return null;
  return <PublishDialog preset={preset} onClose={() => show({ sheet: null })} />;
}

/** An empty canvas says how to begin. */
function Start() {
  const t = useT();
  const { nodes, notes } = useWorkflow();
  const show = useView((state) => state.show);
  if (nodes.length || notes?.length) return null;
  return (
    <div className="designer-start">
      <h2>{t("designer.empty")}</h2>
      <p>{t("designer.emptyText")}</p>
      <button
        type="button"
        className="button"
        data-kind="primary"
        onClick={() => show({ aim: { place: { x: 0, y: 0 } } })}
      >
        {t("designer.addStep")}
      </button>
    </div>
  );
}
