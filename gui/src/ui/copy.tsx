import { Check, Copy } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useT } from "@/i18n/words";
import { Button } from "./button";
import { tell } from "./toasts";

const SHOWN_MS = 2000;

interface CopyProps {
  text: string;
  /** What is copied, for people who cannot see it. */
  label: string;
  /** Show the icon only. */
  compact?: boolean;
}

/** A button that copies a text, and says that it did. */
export function CopyButton({ text, label, compact = false }: CopyProps) {
  const t = useT();
  const [done, setDone] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      setDone(true);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setDone(false), SHOWN_MS);
    } catch {
      tell(t("common.copyProblem"), "bad");
    }
  }
  const Icon = done ? Check : Copy;
  const words = t(done ? "common.copied" : "common.copy");
  return (
    <Button
      kind={compact ? "quiet" : "plain"}
      size="small"
      aria-label={`${words}: ${label}`}
      title={words}
      onClick={() => void copy()}
    >
      <Icon size={16} aria-hidden="true" />
      {!compact && words}
    </Button>
  );
}

/** Lines to take elsewhere, with the button that copies them. */
export function CopyBlock({ text, label }: { text: string; label: string }) {
  return (
    <figure className="copy-block">
      <figcaption className="spread">
        <span>{label}</span>
        <CopyButton text={text} label={label} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines are scrolled by keyboard */}
      <pre tabIndex={0}>{text}</pre>
    </figure>
  );
}
