import { type FormEvent, useState } from "react";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { useDocument } from "../document/store";
import { useView } from "../view";
import { saveAs, useSave } from "./save";

/** Ask for the name a new preset is saved under. */
export function SaveSheet() {
  const t = useT();
  const { sheet, show } = useView();
  const busy = useSave((state) => state.busy);
  const preset = useDocument((state) => state.preset);
  const [name, setName] = useState("");
  const close = () => show({ sheet: null });
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (await saveAs(name.trim(), 0)) close();
  }
  return (
    <Dialog
      open={sheet === "save"}
      onClose={close}
      title={t("designer.saveAs")}
      about={t("designer.saveAbout")}
    >
      <form className="stack" onSubmit={submit}>
        <TextField
          label={t("designer.presetName")}
          required
          maxLength={50}
          placeholder={preset ?? ""}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <div className="dialog-actions">
          <Button onClick={close}>{t("designer.cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy}>
            {t("command.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
