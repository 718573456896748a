import { Download, ScrollText } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { Loading } from "@/app/need-engine";
import { useSession } from "@/app/session";
import { useTimes } from "@/app/times";
import type { AuditEvent } from "@/contract/contract.gen";
import { isAddress, sameAddress, shortAddress } from "@/crypto/address";
import { useT } from "@/i18n/words";
import { Empty, Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { SelectField } from "@/ui/field";
import { saveFile } from "@/ui/save-file";
import { tellError } from "@/ui/toasts";
import { actionWord } from "./actions";
import "./audit.css";

const PAGE = "100";

/** Who signed in and who changed what on the gateway. */
export default function Audit() {
  const t = useT();
  const rest = useSession((state) => state.rest);
  const [events, setEvents] = useState<AuditEvent[] | null>(null);
  const [next, setNext] = useState<number | null>(null);
  const [action, setAction] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  const load = useCallback(
    async (before: number | null) => {
      setBusy(true);
      try {
        const query = { limit: PAGE, ...(before ? { before: String(before) } : {}) };
        const page = await rest.call("list_audit", { query });
        setEvents((known) => (before && known ? [...known, ...page.events] : page.events));
        setNext(page.next);
        setProblem("");
      } catch (error) {
        setProblem(sentenceOf(error));
      } finally {
        setBusy(false);
      }
    },
    [rest],
  );
  useEffect(() => void load(null), [load]);

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

  const names = [...new Set((events ?? []).map((event) => event.action))].sort();
  const shown = (events ?? []).filter((event) => !action || event.action === action);
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
      {problem && <Notice tone="bad">{problem}</Notice>}
      {events === null && !problem && <Loading />}
      {events?.length === 0 && (
        <Empty icon={<ScrollText size={32} aria-hidden="true" />} title={t("audit.none")}>
          <p>{t("audit.noneText")}</p>
        </Empty>
      )}
      {events && events.length > 0 && (
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
            {shown.map((event) => (
              <Entry key={event.seq} event={event} />
            ))}
          </ol>
          {next !== null && (
            <div className="row">
              <Button busy={busy} onClick={() => void load(next)}>
                {t("audit.older")}
              </Button>
            </div>
          )}
          <p className="muted">{t("audit.verify")}</p>
        </>
      )}
    </div>
  );
}

function Entry({ event }: { event: AuditEvent }) {
  const t = useT();
  const times = useTimes();
  const me = useSession((state) => state.signer?.address ?? "");
  const engines = useSession((state) => state.engines);
  const who = (name: string) => {
    if (isAddress(name)) return sameAddress(name, me) ? t("audit.you") : shortAddress(name);
    return engines?.find(({ id }) => id === name)?.name ?? name;
  };
  const subject = event.subject === event.actor ? "" : who(event.subject);
  return (
    <li>
      <time dateTime={event.at} className="muted">
        {times.date(event.at_ms)}
      </time>
      <strong>{actionWord(t, event.action)}</strong>
      <span className="grow audit-subject">{subject}</span>
      <span className="muted">{t("audit.by", { name: who(event.actor) })}</span>
    </li>
  );
}
