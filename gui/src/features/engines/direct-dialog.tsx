import { type FormEvent, useState } from "react";
import { useSession } from "@/app/session";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";

/** Tell whether an engine may be reached at this address: TLS anywhere, without it on this machine only. */
export function isSocketAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, hash } = new URL(text);
  const local = ["127.0.0.1", "localhost"].includes(hostname);
  return !hash && (protocol === "wss:" || (protocol === "ws:" && local));
}

/** Sets where this browser reaches an engine without the gateway. */
export function DirectDialog({ engineId, onClose }: { engineId: string; onClose(): void }) {
  const t = useT();
  const { directUrl, setDirectUrl } = useSession();
  const [url, setUrl] = useState(() => directUrl(engineId));
  const [problem, setProblem] = useState("");

  function submit(event: FormEvent) {
    event.preventDefault();
    const wanted = url.trim();
    if (wanted && !isSocketAddress(wanted)) {
      setProblem(t("engines.directProblem"));
      return;
    }
    setDirectUrl(engineId, wanted);
    onClose();
  }

  return (
    <Dialog open onClose={onClose} title={t("engines.direct")} about={t("engines.directText")}>
      <form className="stack" onSubmit={submit}>
        <TextField
          label={t("engines.directLabel")}
          hint={t("engines.directHint")}
          problem={problem}
          placeholder="ws://127.0.0.1:8765"
          inputMode="url"
          autoCapitalize="none"
          spellCheck={false}
          value={url}
          onChange={(event) => {
            setUrl(event.target.value);
            setProblem("");
          }}
        />
        <div className="dialog-actions">
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button kind="primary" type="submit">
            {t("common.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
