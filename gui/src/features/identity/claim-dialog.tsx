import { useState } from "react";
import { useLocation } from "wouter";
import { sentenceOf } from "@/api/errors";
import { useClaim } from "@/app/claim-store";
import { useSession } from "@/app/session";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { tell } from "@/ui/toasts";

/** Asks whoever is signed in whether they want to own the engine of the claim link. */
export function ClaimDialog() {
  const t = useT();
  const { claim, use, dismiss } = useClaim();
  const address = useSession((state) => state.signer?.address ?? "");
  const [, go] = useLocation();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  async function confirm() {
    setBusy(true);
    setProblem("");
    try {
      const name = await use();
      tell(t("claim.done", { name }), "good");
      go("/engines");
    } catch (error) {
      setProblem(sentenceOf(error));
    } finally {
      setBusy(false);
    }
  }

  const damaged = claim === "damaged";
  return (
    <Dialog open={claim !== null} onClose={dismiss} title={t(damaged ? "claim.damagedTitle" : "claim.title")}>
      {claim === "damaged" && <p>{t("claim.damaged")}</p>}
      {claim && claim !== "damaged" && (
        <>
          <p>{t("claim.question")}</p>
          <dl className="facts">
            <dt>{t("claim.engine")}</dt>
            <dd className="mono">{claim.engineId}</dd>
            <dt>{t("claim.owner")}</dt>
            <dd className="mono">{address}</dd>
          </dl>
        </>
      )}
      {problem && <Notice tone="bad">{t("claim.failed", { problem })}</Notice>}
      <div className="dialog-actions">
        <Button onClick={dismiss}>{t(damaged ? "common.close" : "claim.notNow")}</Button>
        {!damaged && (
          <Button kind="primary" busy={busy} onClick={() => void confirm()}>
            {t("claim.confirm")}
          </Button>
        )}
      </div>
    </Dialog>
  );
}
