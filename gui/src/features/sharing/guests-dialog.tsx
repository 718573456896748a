import { PenLine, UserMinus, UserPlus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useActing } from "@/app/acting";
import { useLoaded } from "@/app/live";
import { Listed } from "@/app/need-engine";
import { useSession } from "@/app/session";
import type { Engine, EngineShare } from "@/contract/contract.gen";
import { isAddress, shortAddress } from "@/crypto/address";
import { useT } from "@/i18n/words";
import { Badge, Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/copy";
import { Dialog } from "@/ui/dialog";
import { SelectField, TextField } from "@/ui/field";
import { addressOf, ROLES, shareEngine } from "./engine-shares";
import type { GuestRole } from "./owner-word";
import "./sharing.css";

/** Who else may use an engine of one's own, and as what. */
export function GuestsDialog({ engine, onClose }: { engine: Engine; onClose(): void }) {
  const t = useT();
  const { rest, signer } = useSession();
  const live = useLoaded(
    () => rest.call("list_engine_shares", { path: { engine_id: engine.id } }),
    [engine.id],
  );
  const { busy, problem, act } = useActing(live.reload);
  if (!signer) return null;
  const share = (guest: string, role: GuestRole) =>
    act(() => shareEngine(rest, signer, { engine: engine.id, guest, role }));
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("sharing.title", { name: engine.name })}
      about={t("sharing.text")}
    >
      {problem && <Notice tone="bad">{problem}</Notice>}
      <NewGuest busy={busy} resolve={(named) => addressOf(rest, named)} onShare={share} />
      <Listed live={live} empty={<p className="muted">{t("sharing.nobody")}</p>}>
        {(guests) => (
          <ul className="plain-list" aria-label={t("sharing.guests")}>
            {guests.map((guest) => (
              <GuestItem
                key={guest.share_id}
                guest={guest}
                busy={busy}
                onRole={(role) => void share(guest.public_address, role)}
                onEnd={() =>
                  void act(() => {
                    const path = { engine_id: engine.id, share_id: guest.share_id };
                    return rest.call("unshare_engine", { path });
                  })
                }
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
  resolve(named: string): Promise<string>;
  onShare(guest: string, role: GuestRole): Promise<boolean>;
}

/** A guest is named by address or user name; what a name stands for is shown before anything is signed. */
function NewGuest({ busy, resolve, onShare }: NewProps) {
  const t = useT();
  const [named, setNamed] = useState("");
  const [role, setRole] = useState<GuestRole>("runner");
  const [found, setFound] = useState<string | null>(null);
  const [problem, setProblem] = useState("");

  async function submit(event: FormEvent) {
    event.preventDefault();
    setProblem("");
    try {
      const address = found ?? (await resolve(named));
      if (!found && !isAddress(named.trim())) {
        setFound(address);
        return;
      }
      if (await onShare(address, role)) {
        setNamed("");
        setFound(null);
      }
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  }

  return (
    <form className="stack share-new" onSubmit={(event) => void submit(event)}>
      <div className="guest-form">
        <TextField
          label={t("sharing.guest")}
          hint={t("sharing.guestHint")}
          required
          minLength={3}
          maxLength={64}
          autoComplete="off"
          spellCheck={false}
          problem={problem}
          value={named}
          onChange={(event) => {
            setNamed(event.target.value);
            setFound(null);
          }}
        />
        <RoleField value={role} onChange={setRole} label={t("sharing.role")} />
      </div>
      <p className="muted">{t(`sharing.role.${role}Text`)}</p>
      {found && (
        <Notice>
          <span>
            {t("sharing.nameMeans", { name: named.trim() })} <span className="mono">{found}</span>
          </span>
        </Notice>
      )}
      <div className="row">
        <Button kind="primary" type="submit" busy={busy}>
          <UserPlus size={16} aria-hidden="true" />
          {t(found ? "sharing.shareIndeed" : "sharing.share")}
        </Button>
      </div>
    </form>
  );
}

interface RoleProps {
  label: string;
  value: GuestRole;
  onChange(role: GuestRole): void;
}

function RoleField({ label, value, onChange }: RoleProps) {
  const t = useT();
  return (
    <SelectField
      label={label}
      value={value}
      options={ROLES.map((role) => ({ value: role, label: t(`sharing.role.${role}`) }))}
      onChange={(next) => onChange(next as GuestRole)}
    />
  );
}

interface ItemProps {
  guest: EngineShare;
  busy: boolean;
  onRole(role: GuestRole): void;
  onEnd(): void;
}

function GuestItem({ guest, busy, onRole, onEnd }: ItemProps) {
  const t = useT();
  const name = guest.username ?? shortAddress(guest.public_address);
  return (
    <li className="guest-item">
      <div className="grow">
        <strong>{name}</strong> {guest.needs_grant && <Badge tone="warn">{t("sharing.looksOnly")}</Badge>}
        <div className="row">
          <span className="mono muted">{shortAddress(guest.public_address)}</span>
          <CopyButton text={guest.public_address} label={t("identity.address")} compact />
        </div>
      </div>
      <RoleField label={t("sharing.roleOf", { name })} value={guest.role} onChange={onRole} />
      {guest.needs_grant && (
        <Button size="small" disabled={busy} onClick={() => onRole(guest.role)}>
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
        <UserMinus size={14} aria-hidden="true" />
        {t("sharing.end")}
      </Button>
    </li>
  );
}
