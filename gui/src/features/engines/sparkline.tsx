import "./sparkline.css";

const WIDTH = 120;
const HEIGHT = 32;

/** The line of some percentages, oldest first, evenly spread; drawn in a box of 120 by 32. */
export function lineOf(values: number[], most: number): string {
  const step = WIDTH / Math.max(most - 1, 1);
  const start = WIDTH - (values.length - 1) * step;
  return values
    .map((value, place) => {
      const height = HEIGHT - 2 - (Math.min(Math.max(value, 0), 100) / 100) * (HEIGHT - 4);
      return `${(start + place * step).toFixed(1)},${height.toFixed(1)}`;
    })
    .join(" ");
}

/** A little chart of the latest percentages, with the newest one in figures. */
export function Sparkline({ label, values, most = 60 }: { label: string; values: number[]; most?: number }) {
  const newest = values.at(-1);
  const line = lineOf(values, most);
  const first = line.split(",")[0] ?? "0";
  return (
    <div className="spark">
      <div className="spark-head">
        <span className="muted">{label}</span>
        <strong>{newest === undefined ? "–" : `${Math.round(newest)} %`}</strong>
      </div>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {values.length > 1 && (
          <>
            <polygon className="spark-area" points={`${first},${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} />
            <polyline className="spark-line" points={line} vectorEffect="non-scaling-stroke" />
          </>
        )}
      </svg>
    </div>
  );
}
