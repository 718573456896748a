import { useState } from "react";
import { useSession } from "@/app/session";
import type { TriggerItem } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { CopyButton } from "@/ui/copy";
import { TextField } from "@/ui/field";
import { hookPath } from "./rules";

const PLACE = "flowork.hooks";
const PORT = 8989;

function stored(): Record<string, string> {
  try {
    return JSON.parse(localStorage.getItem(PLACE) ?? "{}") as Record<string, string>;
  } catch {
    return {};
  }
}

/** Where the engine takes calls, as far as this page knows: what was typed before, else the socket's host. */
function baseOf(engineId: string, direct: string): string {
  const known = stored()[engineId];
  if (known !== undefined) return known;
  try {
    const { hostname, protocol } = new URL(direct);
    return protocol === "wss:" ? `https://${hostname}` : `http://${hostname}:${PORT}`;
  } catch {
    return `http://127.0.0.1:${PORT}`;
  }
}

/** The address of a webhook, and how it is called. */
export function HookAddress({ rule }: { rule: TriggerItem }) {
  const t = useT();
  const engineId = useSession((state) => state.engineId) ?? "";
  const directUrl = useSession((state) => state.directUrl);
  const [base, setBase] = useState(() => baseOf(engineId, directUrl(engineId)));
  const address = `${base.replace(/\/+$/, "")}${hookPath(rule)}`;
  const auth = String(rule.config.auth ?? "secret");
  const proof = auth === "secret" ? " -H 'X-Webhook-Secret: …'" : "";
  const call = `curl -X POST '${address}'${proof} -H 'Content-Type: application/json' -d '{}'`;
  return (
    <div className="stack trigger-hook">
      <div className="trigger-address">
        <code className="grow">{address}</code>
        <CopyButton text={address} label={t("triggers.address")} />
        <CopyButton text={call} label={t("triggers.curl")} compact />
      </div>
      <p className="muted">
        {t(`triggers.auth.${auth === "hmac" || auth === "none" ? auth : "secret"}Text`)}{" "}
        {auth !== "none" && t(rule.secret_set ? "triggers.secretSet" : "triggers.secretMissing")}
      </p>
      <details className="trigger-firings">
        <summary>{t("triggers.base")}</summary>
        <TextField
          label={t("triggers.base")}
          hint={t("triggers.baseHint")}
          type="url"
          value={base}
          onChange={(event) => {
            setBase(event.target.value);
            localStorage.setItem(PLACE, JSON.stringify({ ...stored(), [engineId]: event.target.value }));
          }}
        />
      </details>
    </div>
  );
}
