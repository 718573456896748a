import { Dices } from "lucide-react";
import { randomHex } from "@/crypto/bytes";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/copy";
import { SelectField, TextField } from "@/ui/field";
import { SwitchField } from "@/ui/switch";
import { type Draft, previewOf, type When } from "./rules";

interface Props {
  draft: Draft;
  secretSet: boolean;
  onChange(part: Partial<Draft>): void;
}

/** What each kind of trigger wants to know. */
export function KindFields(props: Props) {
  const { kind } = props.draft;
  if (kind === "cron") return <Schedule {...props} />;
  if (kind === "webhook") return <Hook {...props} />;
  if (kind === "file_system") return <Files {...props} />;
  if (kind === "process" || kind === "event_bus") return <Named {...props} />;
  if (kind === "run_finished") return <AfterRuns {...props} />;
  return null;
}

function Schedule({ draft, onChange }: Props) {
  const t = useT();
  const ways: When[] = ["cron", "interval", "once"];
  return (
    <>
      <SelectField
        label={t("triggers.when")}
        value={draft.when}
        options={ways.map((way) => ({ value: way, label: t(`triggers.when.${way}`) }))}
        onChange={(when) => onChange({ when: when as When })}
      />
      {draft.when === "interval" ? (
        <TextField
          label={t("triggers.seconds")}
          type="number"
          min={1}
          step="any"
          required
          value={draft.interval}
          onChange={(event) => onChange({ interval: Number(event.target.value) })}
        />
      ) : (
        <div className="trigger-pair">
          {draft.when === "cron" ? (
            <TextField
              label={t("triggers.cron")}
              hint={<Preview cron={draft.cron} zone={draft.zone} />}
              required
              spellCheck={false}
              placeholder="0 9 * * MON-FRI"
              value={draft.cron}
              onChange={(event) => onChange({ cron: event.target.value })}
            />
          ) : (
            <TextField
              label={t("triggers.at")}
              type="datetime-local"
              step={1}
              required
              value={draft.at}
              onChange={(event) => onChange({ at: event.target.value })}
            />
          )}
          <TextField
            label={t("triggers.zone")}
            hint={t("triggers.zoneHint")}
            spellCheck={false}
            value={draft.zone}
            onChange={(event) => onChange({ zone: event.target.value })}
          />
        </div>
      )}
      <SelectField
        label={t("triggers.missed")}
        value={draft.missed}
        options={(["skip", "run_once", "run_all"] as const).map((way) => ({
          value: way,
          label: t(`triggers.missed.${way}`),
        }))}
        onChange={(missed) => onChange({ missed })}
      />
    </>
  );
}

function Preview({ cron, zone }: { cron: string; zone: string }) {
  const t = useT();
  const times = previewOf(cron, zone, 3, new Date());
  if (times === null) return <>{t("triggers.noPreview")}</>;
  return <>{t("panel.cronNext", { times: times.map((time) => time.toLocaleString()).join(" · ") })}</>;
}

function Hook({ draft, secretSet, onChange }: Props) {
  const t = useT();
  return (
    <>
      <SelectField
        label={t("triggers.auth")}
        hint={t(`triggers.auth.${draft.auth as "secret" | "hmac" | "none"}Text`)}
        value={draft.auth}
        options={(["secret", "hmac", "none"] as const).map((way) => ({
          value: way,
          label: t(`triggers.auth.${way}`),
        }))}
        onChange={(auth) => onChange({ auth })}
      />
      {draft.auth !== "none" && (
        <>
          <TextField
            label={t("triggers.secret")}
            hint={t(secretSet ? "triggers.secretKeep" : "triggers.secretHint")}
            required={!secretSet}
            maxLength={1000}
            autoComplete="off"
            spellCheck={false}
            value={draft.secret}
            onChange={(event) => onChange({ secret: event.target.value })}
          />
          <div className="row">
            <Button size="small" onClick={() => onChange({ secret: randomHex(24) })}>
              <Dices size={14} aria-hidden="true" />
              {t("triggers.makeSecret")}
            </Button>
            {draft.secret && <CopyButton text={draft.secret} label={t("triggers.secret")} />}
          </div>
        </>
      )}
      <TextField
        label={t("triggers.wait")}
        hint={t("triggers.waitHint")}
        type="number"
        min={0}
        max={60}
        step="any"
        value={draft.wait}
        onChange={(event) => onChange({ wait: Number(event.target.value) })}
      />
      <SwitchField
        label={t("triggers.allowGet")}
        checked={draft.allowGet}
        onChange={(allowGet) => onChange({ allowGet })}
      />
    </>
  );
}

function Files({ draft, onChange }: Props) {
  const t = useT();
  return (
    <>
      <TextField
        label={t("triggers.path")}
        hint={t("triggers.pathHint")}
        required
        spellCheck={false}
        value={draft.path}
        onChange={(event) => onChange({ path: event.target.value })}
      />
      <TextField
        label={t("triggers.pattern")}
        placeholder="*.csv"
        spellCheck={false}
        value={draft.pattern}
        onChange={(event) => onChange({ pattern: event.target.value })}
      />
      <SwitchField
        label={t("triggers.recursive")}
        checked={draft.recursive}
        onChange={(recursive) => onChange({ recursive })}
      />
    </>
  );
}

function Named({ draft, onChange }: Props) {
  const t = useT();
  if (draft.kind === "event_bus") {
    return (
      <TextField
        label={t("triggers.eventName")}
        hint={t("triggers.eventNameHint")}
        required
        spellCheck={false}
        value={draft.eventName}
        onChange={(event) => onChange({ eventName: event.target.value })}
      />
    );
  }
  return (
    <div className="trigger-pair">
      <TextField
        label={t("triggers.process")}
        required
        spellCheck={false}
        value={draft.process}
        onChange={(event) => onChange({ process: event.target.value })}
      />
      <SelectField
        label={t("triggers.event")}
        value={draft.event}
        options={(["started", "stopped"] as const).map((event) => ({
          value: event,
          label: t(`triggers.event.${event}`),
        }))}
        onChange={(event) => onChange({ event })}
      />
    </div>
  );
}

function AfterRuns({ draft, onChange }: Props) {
  const t = useT();
  return (
    <>
      <TextField
        label={t("triggers.presets")}
        hint={t("triggers.listHint")}
        value={draft.presets}
        onChange={(event) => onChange({ presets: event.target.value })}
      />
      <SelectField
        label={t("triggers.statuses")}
        value={draft.statuses}
        options={[
          { value: "", label: t("runs.anyStatus") },
          ...(["SUCCEEDED", "FAILED", "STOPPED"] as const).map((status) => ({
            value: status,
            label: t(`runs.${status}`),
          })),
        ]}
        onChange={(statuses) => onChange({ statuses })}
      />
    </>
  );
}
