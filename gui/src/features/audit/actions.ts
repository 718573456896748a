/** What the audit log's actions are called. */

import en from "@/i18n/words/en.json";
import type { Translate, Word } from "@/i18n/words";

/** The words for an action; one that is not known yet is shown by its own name. */
export function actionWord(t: Translate, action: string): string {
  const word = `audit.action.${action}`;
  return word in en ? t(word as Word) : action.replaceAll("_", " ");
}
