import { Switch as Primitive } from "radix-ui";
import { type ReactNode, useId } from "react";

interface Props {
  label: ReactNode;
  hint?: string;
  checked: boolean;
  disabled?: boolean;
  onChange(checked: boolean): void;
}

/** On or off, at once. */
export function SwitchField({ label, hint, checked, disabled = false, onChange }: Props) {
  const id = useId();
  return (
    <div className="switch-field">
      <Primitive.Root
        id={id}
        className="switch"
        checked={checked}
        disabled={disabled}
        onCheckedChange={onChange}
      >
        <Primitive.Thumb className="switch-thumb" />
      </Primitive.Root>
      <div>
        <label htmlFor={id}>{label}</label>
        {hint && <p className="field-hint">{hint}</p>}
      </div>
    </div>
  );
}
