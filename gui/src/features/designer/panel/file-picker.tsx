import { File, Folder, HardDrive } from "lucide-react";
import { useEffect, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
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
  const [items, setItems] = useState<Item[] | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let left = false;
    setItems(null);
    setProblem("");
    const asked: Promise<Item[]> | undefined =
      path === null
        ? engine
            ?.request("request_drives", {})
            .then((answer) => answer.drives ?? (answer as unknown as { items: Item[] }).items)
        : engine?.request("request_directory_list", { path }).then((answer) => answer.items);
    asked?.then(
      (found) => !left && setItems(found),
      (error: unknown) => !left && setProblem(sentenceOf(error)),
    );
    return () => {
      left = true;
    };
  }, [engine, path]);
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
      {problem && <Notice tone="bad">{problem}</Notice>}
      {!items && !problem && <output className="spinner" aria-label={t("designer.loading")} />}
      {items?.length === 0 && <p className="field-hint">{t("panel.emptyFolder")}</p>}
      <ul className="file-list">
        {items?.map((item) => {
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
