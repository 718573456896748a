import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import type { LogEvent } from "@/contract/contract.gen";
import { useT, type Word } from "@/i18n/words";
import "./log-view.css";

const LEVELS = ["DEBUG", "INFO", "SUCCESS", "WARN", "ERROR"] as const;
const SHOWN = 500;

interface Props {
  lines: readonly LogEvent[];
  dropped: number;
  nameOf(nodeId: string): string;
  onNode?(nodeId: string): void;
}

/** The log of a run, filtered by level and text; it follows the newest line until one scrolls up. */
export function LogView({ lines, dropped, nameOf, onNode }: Props) {
  const t = useT();
  const [least, setLeast] = useState<(typeof LEVELS)[number]>("DEBUG");
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text.trim().toLowerCase());
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const found = useMemo(() => {
    const from = LEVELS.indexOf(least);
    return lines.filter(
      (line) =>
        LEVELS.indexOf(line.level) >= from &&
        (!wanted || `${line.message} ${line.source}`.toLowerCase().includes(wanted)),
    );
  }, [lines, least, wanted]);
  // New lines are what it follows.
  useEffect(() => {
    if (atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [found]);
  return (
    <div className="log-view">
      <div className="log-tools">
        <input
          className="input"
          type="search"
          aria-label={t("log.search")}
          placeholder={t("log.search")}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <select
          className="input"
          aria-label={t("log.level")}
          value={least}
          onChange={(event) => setLeast(event.target.value as typeof least)}
        >
          {LEVELS.map((level) => (
            <option key={level} value={level}>
              {t(`level.${level}` as Word)}
            </option>
          ))}
        </select>
        <span className="field-hint">{t("log.count", { count: found.length })}</span>
      </div>
      <div
        className="log-lines"
        ref={box}
        // A scrolling region must be reachable by keyboard.
        tabIndex={0}
        role="log"
        aria-label={t("command.log")}
        aria-live="off"
        onScroll={({ currentTarget: at }) => {
          atEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < 24;
        }}
      >
        {(dropped > 0 || found.length > SHOWN) && (
          <p className="field-hint">
            {t("log.older", { count: dropped + Math.max(0, found.length - SHOWN) })}
          </p>
        )}
        {found.length === 0 && <p className="field-hint">{t("log.empty")}</p>}
        {found.slice(-SHOWN).map((line) => (
          <div key={line.seq} className="log-line" data-level={line.level}>
            <time dateTime={line.timestamp}>{clock(line.timestamp)}</time>
            <span className="log-level">{line.level}</span>
            {line.node_id && onNode ? (
              <button
                type="button"
                className="log-source"
                onClick={() => line.node_id && onNode(line.node_id)}
              >
                {nameOf(line.node_id)}
              </button>
            ) : (
              <span className="log-source">{line.node_id ? nameOf(line.node_id) : line.source}</span>
            )}
            <span className="log-text">{line.message}</span>
          </div>
        ))}
      </div>
    </div>
  );
}

function clock(text: string): string {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : at.toLocaleTimeString(undefined, { hour12: false });
}
