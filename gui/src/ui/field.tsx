import { type InputHTMLAttributes, type ReactNode, type TextareaHTMLAttributes, useId } from "react";

interface Common {
  label: ReactNode;
  hint?: ReactNode;
  problem?: string | null | undefined;
}

function Frame({ id, label, hint, problem, children }: Common & { id: string; children: ReactNode }) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children}
      {hint && (
        <span className="field-hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {problem && (
        <span className="field-problem" id={`${id}-problem`} role="alert">
          {problem}
        </span>
      )}
    </div>
  );
}

const describedBy = (id: string, { hint, problem }: Partial<Common>) =>
  [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ") || undefined;

export function TextField({ label, hint, problem, ...rest }: Common & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} problem={problem}>
      <input
        id={id}
        className="input"
        aria-invalid={Boolean(problem)}
        aria-describedby={describedBy(id, { hint, problem })}
        {...rest}
      />
    </Frame>
  );
}

export function TextArea({
  label,
  hint,
  problem,
  ...rest
}: Common & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} problem={problem}>
      <textarea
        id={id}
        className="input"
        aria-invalid={Boolean(problem)}
        aria-describedby={describedBy(id, { hint, problem })}
        {...rest}
      />
    </Frame>
  );
}

export function SelectField({
  label,
  hint,
  problem,
  options,
  value,
  onChange,
}: Common & { options: { value: string; label: string }[]; value: string; onChange(value: string): void }) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} problem={problem}>
      <select id={id} className="input" value={value} onChange={(event) => onChange(event.target.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </Frame>
  );
}
