import { Download, ScrollText } from "lucide-react";
import { useState } from "react";
import { useLoaded } from "@/app/live";
import { Loaded } from "@/app/need-engine";
import { useSession } from "@/app/session";
import { useTimes } from "@/app/times";
import type { AuditEvent, AuditPage } from "@/contract/contract.gen";
import { isAddress, sameAddress, shortAddress } from "@/crypto/address";
import { useT } from "@/i18n/words";
import { Empty } from "@/ui/badge";
import { Button } from "@/ui/button";
import { SelectField } from "@/ui/field";
import { saveFile } from "@/ui/save-file";
import { tellError } from "@/ui/toasts";
import { actionWord, shortName } from "./actions";
import "./audit.css";

const PAGE = "100";

/** Who signed in and who changed what on the gateway. */
export default function Audit() {
  const t = useT();
  const rest = useSession((state) => state.rest);
  const [older, setOlder] = useState<AuditPage | null>(null);
  const [action, setAction] = useState("");
  const [busy, setBusy] = useState(false);
  const fetchPage = (before: number | null) =>
    rest.call("list_audit", { query: { limit: PAGE, ...(before ? { before: String(before) } : {}) } });
  const live = useLoaded(() => fetchPage(null), []);

  async function loadOlder(before: number) {
    setBusy(true);
    try {
      const page = await fetchPage(before);
      setOlder((known) => ({ ...page, events: [...(known?.events ?? []), ...page.events] }));
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  }

  async function download() {
    setBusy(true);
    try {
      saveFile(await rest.download("export_audit"), "flowork-audit.ndjson");
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{t("nav.audit")}</h1>
          <p>{t("audit.text")}</p>
        </div>
        <Button busy={busy} onClick={() => void download()}>
          <Download size={16} aria-hidden="true" />
          {t("audit.export")}
        </Button>
      </div>
      <Loaded live={live}>
        {(newest) => {
          const events = [...newest.events, ...(older?.events ?? [])];
          const next = (older ?? newest).next;
          const names = [...new Set(events.map((event) => event.action))].sort();
          if (events.length === 0) {
            return (
              <Empty icon={<ScrollText size={32} aria-hidden="true" />} title={t("audit.none")}>
                <p>{t("audit.noneText")}</p>
              </Empty>
            );
          }
          return (
            <>
              <div className="audit-search">
                <SelectField
                  label={t("audit.what")}
                  value={action}
                  options={[
                    { value: "", label: t("audit.everything") },
                    ...names.map((name) => ({ value: name, label: actionWord(t, name) })),
                  ]}
                  onChange={setAction}
                />
              </div>
              <ol className="card plain-list audit-list" aria-label={t("nav.audit")}>
                {events
                  .filter((event) => !action || event.action === action)
                  .map((event) => (
                    <Entry key={event.seq} event={event} />
                  ))}
              </ol>
              {next !== null && (
                <div className="row">
                  <Button busy={busy} onClick={() => void loadOlder(next)}>
                    {t("audit.older")}
                  </Button>
                </div>
              )}
              <p className="muted">{t("audit.verify")}</p>
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

function Entry({ event }: { event: AuditEvent }) {
  const t = useT();
  const times = useTimes();
  const me = useSession((state) => state.signer?.address ?? "");
  const engines = useSession((state) => state.engines);
  const one = (name: string) => {
    if (isAddress(name)) return sameAddress(name, me) ? t("audit.you") : shortAddress(name);
    return engines?.find(({ id }) => id === name)?.name ?? shortName(name);
  };
  const who = (names: string) => names.split(" ").map(one).join(" · ");
  const subject = event.subject === event.actor ? "" : who(event.subject);
  return (
    <li>
      <time dateTime={event.at} className="muted">
        {times.date(event.at_ms)}
      </time>
      <strong>{actionWord(t, event.action)}</strong>
      <span className="grow audit-subject" title={event.subject}>
        {subject}
      </span>
      <span className="muted">{t("audit.by", { name: who(event.actor) })}</span>
    </li>
  );
}
