import { ReactFlowProvider } from "@xyflow/react";
import { HelpCircle, List, PanelLeft, Redo2, Undo2 } from "lucide-react";
import { useEffect } from "react";
import { useSession } from "@/app/session";
import { BroughtSheet } from "@/features/designer/bring/report";
import { Canvas } from "@/features/designer/canvas/canvas";
import { useDocument } from "@/features/designer/document/store";
import { Keys } from "@/features/designer/keys/keys";
import { Sheets } from "@/features/designer/keys/sheets";
import { ListView } from "@/features/designer/list/list-view";
import { useCatalog } from "@/features/designer/palette/catalog";
import { Palette } from "@/features/designer/palette/palette";
import { Picker } from "@/features/designer/palette/picker";
import { NodePanel } from "@/features/designer/panel/node-panel";
import { checkWhileEditing, noteProblems } from "@/features/designer/run/problems";
import { PeekSheet } from "@/features/designer/run/peek-sheet";
import { ConflictSheet } from "@/features/designer/save/conflict-sheet";
import { Clashes } from "@/features/designer/together/clashes";
import { People } from "@/features/designer/together/people";
import { useTogether } from "@/features/designer/together/watch";
import { useView } from "@/features/designer/view";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import "@/features/designer/designer.css";

const icon = { size: 16, "aria-hidden": true } as const;

/** The designer for a visitor who may edit: everything that belongs to this one workflow. */
export function SharedEditor() {
  const engine = useSession((state) => state.engine);
  const load = useCatalog((state) => state.load);
  const { palette, list } = useView();
  useTogether();
  useEffect(() => {
    if (engine) void load();
  }, [engine, load]);
  useEffect(() => {
    const stop = checkWhileEditing();
    return () => {
      stop();
      noteProblems([]);
      useDocument.getState().openNode(null);
    };
  }, []);
  return (
    <ReactFlowProvider>
      <div className="card designer shared-editor" data-palette={palette} data-list={list}>
        <Bar />
        {palette && <Palette />}
        <div className="designer-middle">
          <Canvas />
          <Clashes />
        </div>
        {list && <ListView />}
      </div>
      <Keys />
      <Picker />
      <Sheets />
      <NodePanel />
      <PeekSheet />
      <ConflictSheet />
      <BroughtSheet />
    </ReactFlowProvider>
  );
}

function Bar() {
  const t = useT();
  const { history, undo, redo } = useDocument();
  const { palette, list, show } = useView();
  return (
    <div className="designer-bar" role="toolbar" aria-label={t("designer.canvas")}>
      <Button
        kind="quiet"
        size="icon"
        aria-pressed={palette}
        aria-label={t("command.palette")}
        title={t("command.palette")}
        onClick={() => show({ palette: !palette })}
      >
        <PanelLeft {...icon} />
      </Button>
      <Button
        kind="quiet"
        size="icon"
        aria-label={t("command.undo")}
        disabled={!history.past.length}
        onClick={undo}
      >
        <Undo2 {...icon} />
      </Button>
      <Button
        kind="quiet"
        size="icon"
        aria-label={t("command.redo")}
        disabled={!history.future.length}
        onClick={redo}
      >
        <Redo2 {...icon} />
      </Button>
      <span className="shell-fill" />
      <People />
      <Button
        kind="quiet"
        size="icon"
        aria-pressed={list}
        aria-label={t("command.list")}
        title={t("command.list")}
        onClick={() => show({ list: !list })}
      >
        <List {...icon} />
      </Button>
      <Button kind="quiet" size="icon" aria-label={t("command.help")} onClick={() => show({ sheet: "help" })}>
        <HelpCircle {...icon} />
      </Button>
    </div>
  );
}
