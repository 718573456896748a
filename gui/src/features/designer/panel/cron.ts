/** Five-field schedules (minute hour day month weekday): what they mean next. */

const RANGES: [number, number][] = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
];
const NAMES: Record<number, string[]> = {
  3: ["", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
  4: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
};
const FURTHEST_DAYS = 366 * 5;

type Field = ReadonlySet<number>;

function numberIn(text: string, place: number): number | null {
  const named = NAMES[place]?.indexOf(text.toUpperCase()) ?? -1;
  if (text && named >= 0) return named;
  return /^\d{1,2}$/.test(text) ? Number(text) : null;
}

function fieldOf(text: string, place: number): Field | null {
  const [least, most] = RANGES[place] ?? [0, 0];
  const found = new Set<number>();
  for (const part of text.split(",")) {
    const [span = "", stepText, more] = part.split("/");
    const step = stepText === undefined ? 1 : Number(stepText);
    if (more !== undefined || !Number.isInteger(step) || step < 1) return null;
    const [first = "", last, rest] = span.split("-");
    const from = span === "*" ? least : numberIn(first, place);
    const to =
      span === "*"
        ? most
        : last === undefined
          ? stepText === undefined
            ? from
            : most
          : numberIn(last, place);
    if (rest !== undefined || from === null || to === null || from < least || to > most || from > to)
      return null;
    for (let value = from; value <= to; value += step) found.add(place === 4 && value === 7 ? 0 : value);
  }
  return found;
}

/** The next times a schedule fires, in local time; null where the text is no schedule. */
export function nextTimes(text: string, count: number, after: Date): Date[] | null {
  const parts = text.trim().split(/\s+/);
  const fields = parts.map(fieldOf);
  if (parts.length !== 5 || fields.includes(null)) return null;
  const [minutes, hours, days, months, weekdays] = fields as [Field, Field, Field, Field, Field];
  // As cron has it: where both days are limited, either is enough.
  const either = parts[2] !== "*" && parts[4] !== "*";
  const found: Date[] = [];
  const day = new Date(after.getFullYear(), after.getMonth(), after.getDate());
  for (
    let tries = 0;
    tries < FURTHEST_DAYS && found.length < count;
    tries++, day.setDate(day.getDate() + 1)
  ) {
    const byDate = days.has(day.getDate());
    const byWeek = weekdays.has(day.getDay());
    if (!months.has(day.getMonth() + 1) || !(either ? byDate || byWeek : byDate && byWeek)) continue;
    for (const hour of [...hours].sort((one, other) => one - other)) {
      for (const minute of [...minutes].sort((one, other) => one - other)) {
        const at = new Date(day.getFullYear(), day.getMonth(), day.getDate(), hour, minute);
        if (at > after && found.length < count) found.push(at);
      }
    }
  }
  return found;
}
