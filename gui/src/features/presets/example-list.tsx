import { useState } from "react";
import { useLocation } from "wouter";
import { useSession } from "@/app/session";
import { signPreset } from "@/crypto/preset";
import { useT } from "@/i18n/words";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { tell, tellError } from "@/ui/toasts";
import { EXAMPLES, type Example, freeName } from "./examples";

/** Examples by name; each can be taken as a preset of one's own. */
export default function ExampleList({ taken, wanted }: { taken: string[]; wanted: string }) {
  const t = useT();
  const { engine, signer } = useSession();
  const [, go] = useLocation();
  const [busy, setBusy] = useState("");

  async function take({ id, name: title, workflow }: Example) {
    if (!engine || !signer) return;
    setBusy(id);
    try {
      const name = freeName(title, taken);
      const signature = await signPreset(signer, workflow);
      await engine.request("save_preset", { name, workflow_data: workflow, signature });
      tell(t("presets.taken", { name }), "good");
      go(`/designer/${encodeURIComponent(name)}`);
    } catch (error) {
      tellError(error);
      setBusy("");
    }
  }

  const found = EXAMPLES.filter(({ name, description }) =>
    `${name} ${description}`.toLowerCase().includes(wanted),
  );
  if (found.length === 0) return <p className="muted">{t("presets.noneFound")}</p>;
  return (
    <ul className="plain-list preset-grid">
      {found.map((example) => (
        <li key={example.id} className="card preset-card">
          <div className="preset-head">
            <h3 className="grow">{example.name}</h3>
          </div>
          {example.description && <p className="muted grow">{example.description}</p>}
          <div className="preset-foot">
            <Badge tone={example.complete ? "info" : "plain"}>
              {t(example.steps === 1 ? "presets.step" : "presets.steps", { count: example.steps })}
            </Badge>
            <span className="grow" />
            <Button
              size="small"
              busy={busy === example.id}
              disabled={busy !== ""}
              aria-label={t("presets.takeNamed", { name: example.name })}
              onClick={() => void take(example)}
            >
              {t("presets.take")}
            </Button>
          </div>
        </li>
      ))}
    </ul>
  );
}
