/** Says it when the permission ends that a browser wallet gave this page: from then on the page only seems to be alive. */

import { t } from "@/i18n/words";
import { tell } from "@/ui/toasts";
import type { Signer } from "@/wallet/signer";

/** Say it at its time; returns how not to. */
export function sayWhenEnded({ ends }: Pick<Signer, "ends">): () => void {
  if (ends === undefined) return () => undefined;
  const timer = setTimeout(() => tell(t("identity.permissionEnded"), "bad"), ends - Date.now());
  return () => clearTimeout(timer);
}
