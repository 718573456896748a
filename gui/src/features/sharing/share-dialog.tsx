import { PenLine, Plus, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useActing } from "@/app/acting";
import { useLoaded } from "@/app/live";
import { Listed } from "@/app/need-engine";
import { useSession } from "@/app/session";
import { useTimes } from "@/app/times";
import type { ShareLevel, ShareLink } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Badge, Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/copy";
import { Dialog } from "@/ui/dialog";
import { SelectField, TextField } from "@/ui/field";
import { changeLevel, createLink, endLink, LEVELS, listLinks, signLink } from "./links";
import "./sharing.css";

const DAYS = [1, 7, 30, 0];

/** Links to one saved workflow of the engine in use: make one, say what it allows, end it. */
export function ShareDialog({ preset, onClose }: { preset: string; onClose(): void }) {
  const t = useT();
  const { rest, signer, engineId } = useSession();
  const owner = signer && { rest, signer };
  const live = useLoaded(
    async () => (owner && engineId ? await listLinks(owner, preset, engineId) : []),
    [preset, engineId],
  );
  const { busy, problem, act } = useActing(live.reload);
  if (!owner || !engineId) return null;
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("sharing.linksTitle", { name: preset })}
      about={t("sharing.linksText")}
    >
      {problem && <Notice tone="bad">{problem}</Notice>}
      <NewLink busy={busy} onCreate={(wanted) => act(() => createLink(owner, preset, engineId, wanted))} />
      <Listed live={live} empty={<p className="muted">{t("sharing.noLinks")}</p>}>
        {(links) => (
          <ul className="plain-list share-list" aria-label={t("sharing.links")}>
            {links.map((link) => (
              <LinkItem
                key={link.share_id}
                link={link}
                busy={busy}
                onLevel={(level) => void act(() => changeLevel(owner, preset, link, level))}
                onSign={() => void act(() => signLink(owner, preset, link))}
                onEnd={() => void act(() => endLink(owner, link))}
              />
            ))}
          </ul>
        )}
      </Listed>
      <div className="dialog-actions">
        <Button onClick={onClose}>{t("common.close")}</Button>
      </div>
    </Dialog>
  );
}

interface NewProps {
  busy: boolean;
  onCreate(wanted: { name: string; level: ShareLevel; days: number }): Promise<boolean>;
}

function NewLink({ busy, onCreate }: NewProps) {
  const t = useT();
  const [name, setName] = useState("");
  const [level, setLevel] = useState<ShareLevel>("view");
  const [days, setDays] = useState(7);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (await onCreate({ name: name.trim(), level, days })) setName("");
  }

  return (
    <form className="stack share-new" onSubmit={(event) => void submit(event)}>
      <TextField
        label={t("sharing.linkName")}
        hint={t("sharing.linkNameHint")}
        maxLength={100}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <div className="share-pair">
        <LevelField value={level} onChange={setLevel} label={t("sharing.allows")} />
        <SelectField
          label={t("sharing.ends")}
          value={String(days)}
          options={DAYS.map((count) => ({
            value: String(count),
            label: count ? t("sharing.days", { count }) : t("sharing.never"),
          }))}
          onChange={(value) => setDays(Number(value))}
        />
      </div>
      {level === "view-edit-run" && <Notice tone="warn">{t("sharing.editWarning")}</Notice>}
      <div className="row">
        <Button kind="primary" type="submit" busy={busy}>
          <Plus size={16} aria-hidden="true" />
          {t("sharing.create")}
        </Button>
      </div>
    </form>
  );
}

interface LevelProps {
  label: string;
  value: ShareLevel;
  onChange(level: ShareLevel): void;
}

function LevelField({ label, value, onChange }: LevelProps) {
  const t = useT();
  return (
    <SelectField
      label={label}
      value={value}
      options={LEVELS.map((level) => ({ value: level, label: t(`sharing.level.${level}`) }))}
      onChange={(next) => onChange(next as ShareLevel)}
    />
  );
}

interface ItemProps {
  link: ShareLink;
  busy: boolean;
  onLevel(level: ShareLevel): void;
  onSign(): void;
  onEnd(): void;
}

function LinkItem({ link, busy, onLevel, onSign, onEnd }: ItemProps) {
  const t = useT();
  const times = useTimes();
  const name = link.link_name || t("sharing.unnamed");
  return (
    <li className="share-item">
      <div className="spread">
        <strong className="share-name">{name}</strong>
        <span className="row">
          {link.needs_grant && <Badge tone="warn">{t("sharing.unsigned")}</Badge>}
          <span className="muted">
            {link.expires_at
              ? t("sharing.until", { when: times.date(Date.parse(link.expires_at)) })
              : t("sharing.never")}
          </span>
        </span>
      </div>
      {link.share_url ? (
        <div className="row share-url">
          <code className="grow">{link.share_url}</code>
          <CopyButton text={link.share_url} label={t("sharing.linkNamed", { name })} />
        </div>
      ) : (
        <p className="muted">{t("sharing.lostToken")}</p>
      )}
      <div className="spread share-foot">
        <LevelField label={t("sharing.allows")} value={link.permission_level} onChange={onLevel} />
        <span className="row">
          {link.needs_grant && (
            <Button size="small" disabled={busy} onClick={onSign}>
              <PenLine size={14} aria-hidden="true" />
              {t("sharing.sign")}
            </Button>
          )}
          <Button
            size="small"
            kind="danger"
            disabled={busy}
            aria-label={t("sharing.endNamed", { name })}
            onClick={onEnd}
          >
            <Trash2 size={14} aria-hidden="true" />
            {t("sharing.end")}
          </Button>
        </span>
      </div>
    </li>
  );
}
