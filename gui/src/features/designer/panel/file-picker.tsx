import { File, Folder, HardDrive } from "lucide-react";
import { useState } from "react";
import { useLoaded } from "@/app/live";
import { Listed } from "@/app/need-engine";
import { useSession } from "@/app/session";
import type { EngineClient } from "@/engine/client";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";

interface Item {
  name: string;
  path: string;
  is_dir?: boolean;
  type?: string;
}

interface Props {
  folders: boolean;
  onPick(path: string): void;
  onClose(): void;
}

/** Choose a file or folder on the engine's machine, inside the folders it opens to workflows. */
export function FilePicker({ folders, onPick, onClose }: Props) {
  const t = useT();
  const engine = useSession((state) => state.engine);
  const [path, setPath] = useState<string | null>(null);
  const [trail, setTrail] = useState<(string | null)[]>([]);
  const live = useLoaded(() => listed(engine, path), [path]);
  const enter = (next: string) => {
    setTrail([...trail, path]);
    setPath(next);
  };
  return (
    <Dialog open onClose={onClose} title={t(folders ? "panel.chooseFolder" : "panel.chooseFile")}>
      <div className="spread">
        <code>{path ?? t("panel.roots")}</code>
        <Button
          size="small"
          disabled={trail.length === 0}
          onClick={() => {
            setPath(trail.at(-1) ?? null);
            setTrail(trail.slice(0, -1));
          }}
        >
          {t("panel.up")}
        </Button>
      </div>
      <Listed live={live} empty={<p className="field-hint">{t("panel.emptyFolder")}</p>}>
        {(items) => (
          <ul className="file-list">
            {items.map((item) => {
              const isFolder = item.is_dir !== false;
              const Icon = item.type === "drive" ? HardDrive : isFolder ? Folder : File;
              return (
                <li key={item.path}>
                  <button
                    type="button"
                    disabled={!isFolder && folders}
                    onClick={() => (isFolder ? enter(item.path) : onPick(item.path))}
                  >
                    <Icon size={16} aria-hidden="true" />
                    {item.name}
                  </button>
                </li>
              );
            })}
          </ul>
        )}
      </Listed>
      <div className="dialog-actions">
        <Button onClick={onClose}>{t("designer.cancel")}</Button>
        {folders && (
          <Button kind="primary" disabled={path === null} onClick={() => path !== null && onPick(path)}>
            {t("panel.takeFolder")}
          </Button>
        )}
      </div>
    </Dialog>
  );
}

/** What is in a folder; without one, where one can begin. */
async function listed(engine: EngineClient | null, path: string | null): Promise<Item[]> {
  if (path !== null) return (await engine?.request("request_directory_list", { path }))?.items ?? [];
  const answer = await engine?.request("request_drives", {});
  return answer?.drives ?? (answer as unknown as { items: Item[] } | undefined)?.items ?? [];
}
