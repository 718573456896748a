import { type FormEvent, useState } from "react";
import { FloworkError, sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import { sameAddress } from "@/crypto/address";
import { readWorkflow } from "@/features/designer/document/workflow";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { TextArea, TextField } from "@/ui/field";
import { tell } from "@/ui/toasts";
import { listItems, PRESET, published } from "./market";

/** Publishes a saved workflow for everybody on this gateway; under a name of one's own item it is its next version. */
export function PublishDialog({ preset, onClose }: { preset: string; onClose(): void }) {
  const t = useT();
  const { rest, engine, signer } = useSession();
  const [title, setTitle] = useState(preset);
  const [about, setAbout] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      if (!engine || !signer) throw new FloworkError("ENGINE_UNAVAILABLE", t("engine.offText"));
      const loaded = await engine.request("load_preset", { name: preset });
      const name = title.trim();
      const own = (await listItems(rest)).find(
        (item) => item.name === name && sameAddress(item.author, signer.address),
      );
      const answer = await rest.call("publish_item", {
        body: {
          type: PRESET,
          name,
          desc: about.trim(),
          data: published(readWorkflow(loaded.workflow_data)),
          ...(own ? { id: own.id } : {}),
        },
      });
      tell(t("market.published", { name, version: answer.version }), "good");
      onClose();
    } catch (error) {
      setProblem(sentenceOf(error));
      setBusy(false);
    }
  }

  return (
    <Dialog
      open
      onClose={onClose}
      title={t("market.publishTitle", { name: preset })}
      about={t("market.publishText")}
    >
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <TextField
          label={t("market.name")}
          required
          maxLength={120}
          value={title}
          onChange={(event) => setTitle(event.target.value)}
        />
        <TextArea
          label={t("market.about")}
          maxLength={2000}
          value={about}
          onChange={(event) => setAbout(event.target.value)}
        />
        <Notice tone="warn">{t("market.publishWarning")}</Notice>
        {problem && <Notice tone="bad">{problem}</Notice>}
        <div className="dialog-actions">
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={!title.trim()}>
            {t("market.publish")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
