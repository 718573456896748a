import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";

export interface Choice {
  id: string;
  label: string;
  about?: string | undefined;
  icon?: ReactNode;
  keys?: string | undefined;
}

interface Props {
  label: string;
  choices(text: string): Choice[];
  nothing: string;
  onChoose(id: string): void;
}

/** A search field over a list: type to filter, arrows to move, Enter to choose. */
export function Chooser({ label, choices, nothing, onChoose }: Props) {
  const id = useId();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const found = choices(text);
  const current = Math.min(at, Math.max(0, found.length - 1));
  useEffect(() => {
    list.current?.children[current]?.scrollIntoView?.({ block: "nearest" });
  }, [current]);

  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setAt((current + step + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      const choice = found[current];
      if (choice) onChoose(choice.id);
    }
  };

  return (
    <>
      <input
        className="input"
        type="search"
        role="combobox"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={found.length ? `${id}-${current}` : undefined}
        aria-label={label}
        placeholder={label}
        autoComplete="off"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div className="picker" id={id} role="listbox" aria-label={label} ref={list}>
        {found.map((choice, place) => (
          // The combobox above takes the keys.
          <div
            key={choice.id}
            id={`${id}-${place}`}
            role="option"
            tabIndex={-1}
            aria-selected={place === current}
            className="picker-option"
            onClick={() => onChoose(choice.id)}
            onPointerMove={() => setAt(place)}
          >
            {choice.icon && <span className="picker-icon">{choice.icon}</span>}
            <span className="picker-words">
              {choice.label}
              {choice.about && <small>{choice.about}</small>}
            </span>
            {choice.keys && <kbd>{choice.keys}</kbd>}
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="field-hint">{nothing}</p>}
    </>
  );
}
