import { Lock, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { FloworkError } from "@/api/errors";
import { useSession } from "@/app/session";
import type { Variable } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { CopyButton } from "@/ui/copy";
import { SwitchField } from "@/ui/switch";
import { tellError } from "@/ui/toasts";
import { shortValue } from "./values";

interface Props {
  variable: Variable;
  onEdit(): void;
  onChanged(variables: Variable[]): void;
}

export function VariableRow({ variable, onEdit, onChanged }: Props) {
  const t = useT();
  const engine = useSession((state) => state.engine);
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const { name, value, is_secret: secret, is_enabled: enabled, mode } = variable;

  async function toggle(on: boolean) {
    if (!engine) return;
    setBusy(true);
    try {
      // an empty value keeps what a secret holds
      const data = { value: secret ? "" : value, is_secret: secret, is_enabled: on, mode };
      onChanged((await engine.request("update_variable", { name, data })).variables);
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <li className="variable" data-enabled={enabled}>
      <div className="variable-main">
        <div className="row">
          <strong className="mono">{name}</strong>
          <CopyButton text={`{{vars.${name}}}`} label={`{{vars.${name}}}`} compact />
          {mode !== "single" && <Badge>{t(`variables.${mode}`)}</Badge>}
        </div>
        {secret ? (
          <span className="muted row">
            <Lock size={14} aria-hidden="true" />
            {t("variables.secretKept")}
          </span>
        ) : (
          <span className="mono muted variable-value">{shortValue(value)}</span>
        )}
      </div>
      <div className="row">
        <SwitchField
          label={<span className="visually-hidden">{t("variables.enabledNamed", { name })}</span>}
          checked={enabled}
          disabled={busy}
          onChange={(on) => void toggle(on)}
        />
        <Button kind="quiet" size="icon" aria-label={t("variables.editNamed", { name })} onClick={onEdit}>
          <Pencil size={16} aria-hidden="true" />
        </Button>
        <Button
          kind="quiet"
          size="icon"
          aria-label={t("variables.deleteNamed", { name })}
          onClick={() => setAsking(true)}
        >
          <Trash2 size={16} aria-hidden="true" />
        </Button>
      </div>
      <Confirm
        open={asking}
        title={t("variables.deleteTitle", { name })}
        action={t("variables.delete")}
        onClose={() => setAsking(false)}
        onConfirm={async () => {
          if (!engine) throw new FloworkError("ENGINE_UNAVAILABLE", t("engine.offText"));
          onChanged((await engine.request("delete_variable", { name })).variables);
        }}
      >
        <p>{t("variables.deleteText")}</p>
      </Confirm>
    </li>
  );
}
