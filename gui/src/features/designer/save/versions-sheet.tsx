import { useState } from "react";
import { FloworkError } from "@/api/errors";
import { useLoaded } from "@/app/live";
import { Loaded } from "@/app/need-engine";
import { useSession } from "@/app/session";
import type { PresetChange } from "@/contract/contract.gen";
import { shortAddress } from "@/crypto/address";
import { useT, type Word } from "@/i18n/words";
import { Badge, Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { tell, tellError } from "@/ui/toasts";
import { useDocument } from "../document/store";
import { readWorkflow, type Workflow } from "../document/workflow";
import { useView } from "../view";
import { DiffMap } from "./diff-map";
import { fetchPreset, useSave } from "./save";
import "./save.css";

const TONES = { added: "good", removed: "bad", changed: "warn" } as const;

/** The versions of the preset: who saved what when, how two of them differ, and back to an old one. */
export function VersionsSheet() {
  const t = useT();
  const { sheet, show } = useView();
  const preset = useDocument((state) => state.preset);
  return (
    <Dialog open={sheet === "versions"} onClose={() => show({ sheet: null })} title={t("command.versions")}>
      {preset === null ? <p>{t("designer.notSaved")}</p> : <Versions preset={preset} />}
    </Dialog>
  );
}

function Versions({ preset }: { preset: string }) {
  const t = useT();
  const engine = useSession((state) => state.engine);
  const names = useDocument((state) => state.history.present.nodes);
  const [shown, setShown] = useState<number | null>(null);
  const [changes, setChanges] = useState<PresetChange[] | null>(null);
  const [pair, setPair] = useState<[Workflow, Workflow] | null>(null);
  const now = useDocument((state) => state.version);
  const live = useLoaded(async () => {
    if (!engine) throw new FloworkError("ENGINE_UNAVAILABLE", t("engine.offText"));
    return engine.request("list_preset_versions", { name: preset });
  }, [preset, now]);

  function compare(version: number) {
    setShown(version);
    setChanges(null);
    engine
      ?.request("diff_preset_versions", { name: preset, from_version: version - 1, to_version: version })
      .then((answer) => setChanges(answer.changes))
      .catch(tellError);
    setPair(null);
    Promise.all([fetchPreset(preset, version - 1), fetchPreset(preset, version)])
      .then(([before, after]) => setPair([before.workflow, after.workflow]))
      .catch(tellError);
  }

  function restore(version: number) {
    if (!engine) return;
    // a version of one's own: what is told of it is no news
    useSave.setState({ busy: true });
    engine
      .request("restore_preset_version", { name: preset, version })
      .then((loaded) => {
        const workflow = readWorkflow(loaded.workflow_data);
        useDocument.getState().edit(() => workflow);
        useDocument.getState().markSaved(workflow, { preset: loaded.name, version: loaded.version });
        tell(t("designer.restored", { version }), "good");
      })
      .catch(tellError)
      .finally(() => useSave.setState({ busy: false }));
  }

  const nameOf = (id: string) => names.find((node) => node.id === id)?.name ?? id;
  return (
    <Loaded live={live}>
      {({ versions, problem }) => (
        <>
          {problem && <Notice tone="bad">{problem}</Notice>}
          <ol className="versions">
            {versions.map((item) => (
              <li key={item.version}>
                <div className="spread">
                  <span>
                    <strong>v{item.version}</strong> {new Date(item.timestamp).toLocaleString()}{" "}
                    <span className="field-hint">{shortAddress(item.author_id)}</span>
                    {item.restored_from && (
                      <Badge>{t("designer.restoredFrom", { version: item.restored_from })}</Badge>
                    )}
                  </span>
                  <span className="row">
                    {item.version > 1 && (
                      <Button
                        size="small"
                        aria-expanded={shown === item.version}
                        onClick={() => compare(item.version)}
                      >
                        {t("designer.changes")}
                      </Button>
                    )}
                    {item.version !== versions[0]?.version && (
                      <Button size="small" onClick={() => restore(item.version)}>
                        {t("designer.restore")}
                      </Button>
                    )}
                  </span>
                </div>
                {shown === item.version && pair && <DiffMap before={pair[0]} after={pair[1]} />}
                {shown === item.version && changes && (
                  <ul className="version-changes">
                    {changes.length === 0 && <li>{t("designer.noChanges")}</li>}
                    {changes.map((change) => (
                      <li key={`${change.id}${change.path}${change.kind}`}>
                        <Badge tone={TONES[change.kind]}>{t(`change.${change.kind}` as Word)}</Badge>
                        <strong>{change.subject === "node" ? nameOf(change.id) : change.id}</strong>
                        <code>{change.path}</code>
                        {change.kind === "changed" && (
                          <span className="version-values">
                            <del>{brief(change.before)}</del> <ins>{brief(change.after)}</ins>
                          </span>
                        )}
                      </li>
                    ))}
                  </ul>
                )}
              </li>
            ))}
          </ol>
        </>
      )}
    </Loaded>
  );
}

function brief(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text && text.length > 200 ? `${text.slice(0, 200)}…` : (text ?? "");
}
