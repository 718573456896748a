import type { ButtonHTMLAttributes, ReactNode } from "react";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "plain" | "primary" | "danger" | "quiet";
  size?: "normal" | "small" | "icon";
  /** Shows that the action is under way, and takes no second click. */
  busy?: boolean;
  children: ReactNode;
}

export function Button({
  kind = "plain",
  size = "normal",
  busy = false,
  disabled,
  children,
  ...rest
}: Props) {
  return (
    <button
      type="button"
      className="button"
      data-kind={kind}
      data-size={size}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {busy && <span className="spinner" aria-hidden="true" />}
      {children}
    </button>
  );
}
