import { type FormEvent, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useLive } from "@/app/live";
import { Loaded } from "@/app/need-engine";
import { useSession } from "@/app/session";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { SelectField, TextField } from "@/ui/field";
import { SwitchField } from "@/ui/switch";
import { tell } from "@/ui/toasts";

interface Preferences {
  global_error_handler_enabled: boolean;
  global_error_workflow_preset: string;
  notifications_enabled: boolean;
  notifications_duration_seconds: number;
}

const MEMBERS = [
  "global_error_handler_enabled",
  "global_error_workflow_preset",
  "notifications_enabled",
  "notifications_duration_seconds",
] as const;

/** Take what this screen changes out of all that the engine knows. */
export function chosenOf(settings: Record<string, unknown>): Preferences {
  return Object.fromEntries(MEMBERS.map((name) => [name, settings[name]])) as unknown as Preferences;
}

/** What the engine does by itself, such as the workflow that runs when another one failed. */
export function EnginePreferences() {
  const engineId = useSession((state) => state.engineId);
  const engine = useSession((state) => state.engine);
  const live = useLive(async () => {
    if (!engine) return null;
    const [{ settings }, { presets }] = await Promise.all([
      engine.request("request_settings", {}),
      engine.request("request_presets_list", {}),
    ]);
    return { settings: chosenOf(settings), presets: presets.map(({ name }) => name) };
  }, [engineId]);
  return (
    <Loaded live={live}>
      {(found) =>
        found && <PreferencesForm key={engineId} settings={found.settings} presets={found.presets} />
      }
    </Loaded>
  );
}

function PreferencesForm({ settings, presets }: { settings: Preferences; presets: string[] }) {
  const t = useT();
  const engine = useSession((state) => state.engine);
  const [saved, setSaved] = useState(settings);
  const [draft, setDraft] = useState(settings);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const change = (part: Partial<Preferences>) => setDraft((before) => ({ ...before, ...part }));
  const changed = MEMBERS.some((name) => draft[name] !== saved[name]);
  const { global_error_handler_enabled: handles, global_error_workflow_preset: handler } = draft;
  const names = handler && !presets.includes(handler) ? [handler, ...presets] : presets;

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!engine) return;
    setBusy(true);
    setProblem("");
    try {
      const answer = await engine.request("save_settings", { settings: { ...draft } });
      const now = chosenOf(answer.settings);
      setSaved(now);
      setDraft(now);
      tell(t("settings.saved"), "good");
    } catch (error) {
      setProblem(sentenceOf(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className="stack" onSubmit={submit}>
      <SwitchField
        label={t("settings.errorWorkflow")}
        hint={t("settings.errorWorkflowText")}
        checked={handles}
        onChange={(on) => change({ global_error_handler_enabled: on })}
      />
      {handles && (
        <SelectField
          label={t("settings.errorPreset")}
          value={handler}
          options={[
            { value: "", label: t("settings.choose") },
            ...names.map((name) => ({ value: name, label: name })),
          ]}
          onChange={(name) => change({ global_error_workflow_preset: name })}
        />
      )}
      <SwitchField
        label={t("settings.notifications")}
        hint={t("settings.notificationsText")}
        checked={draft.notifications_enabled}
        onChange={(on) => change({ notifications_enabled: on })}
      />
      {draft.notifications_enabled && (
        <TextField
          label={t("settings.notificationSeconds")}
          type="number"
          min={0}
          max={3600}
          step="any"
          required
          value={draft.notifications_duration_seconds}
          onChange={(event) => change({ notifications_duration_seconds: Number(event.target.value) })}
        />
      )}
      {problem && <Notice tone="bad">{problem}</Notice>}
      <div className="row">
        <Button kind="primary" type="submit" busy={busy} disabled={!changed || (handles && !handler)}>
          {t("common.save")}
        </Button>
      </div>
    </form>
  );
}
