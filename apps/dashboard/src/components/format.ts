const bytesUnits = ["B", "kB", "MB", "GB", "TB"] as const;

/** Bytes for people, in powers of 1000. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // What would be rounded up to 1000 has the next unit already.
  while (value >= 999.5 && unit < bytesUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${bytesUnits[unit]}`;
}

/** A span of time in its two largest units. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  if (seconds < 60) return "1 min 0 s";
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

/** How long ago, or in how long, in one unit. */
export function formatAgo(atMs: number, nowMs: number): string {
  const away = Math.abs(nowMs - atMs);
  const text =
    away < 60_000
      ? `${Math.floor(away / 1000)} s`
      : away < 3_600_000
        ? `${Math.floor(away / 60_000)} min`
        : away < 172_800_000
          ? `${Math.floor(away / 3_600_000)} h`
          : `${Math.floor(away / 86_400_000)} days`;
  if (away < 5000) return "now";
  return atMs <= nowMs ? `${text} ago` : `in ${text}`;
}

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** Day and time by the reader's own clock and language. */
export function formatMoment(atMs: number): string {
  return moment.format(atMs);
}

/** The day alone. */
export function formatDay(atMs: number): string {
  return day.format(atMs);
}

/** The time of day alone. */
export function formatClock(atMs: number): string {
  return clock.format(atMs);
}

/** A metric's value in five significant digits; a dash where there is none. */
export function formatValue(value: number | null): string {
  if (value === null) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e6) ? value.toExponential(3) : String(Number(value.toPrecision(5)));
}

/** One of a word, or several. */
export function count(n: number, one: string, several = `${one}s`): string {
  return `${n} ${n === 1 ? one : several}`;
}
