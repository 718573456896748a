import { ArrowLeft } from "lucide-react";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";

export function BackButton({ onBack }: { onBack(): void }) {
  const t = useT();
  return (
    <div>
      <Button kind="quiet" size="small" onClick={onBack}>
        <ArrowLeft size={16} aria-hidden="true" />
        {t("common.back")}
      </Button>
    </div>
  );
}
