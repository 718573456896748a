import { useClaim } from "@/app/claim-store";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";

/** Says before the sign-in what the claim link is waiting for, or that it is damaged. */
export function ClaimNotice() {
  const t = useT();
  const { claim, dismiss } = useClaim();
  if (!claim) return null;
  if (claim !== "damaged") return <Notice>{t("claim.waiting", { engine: claim.engineId })}</Notice>;
  return (
    <Notice tone="bad">
      <span className="grow">{t("claim.damaged")}</span>
      <Button size="small" onClick={dismiss}>
        {t("common.close")}
      </Button>
    </Notice>
  );
}
