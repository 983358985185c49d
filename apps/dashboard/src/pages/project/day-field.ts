/** A moment as a date field holds it, by UTC; empty for none. */
export function dayOf(atMs: number | null): string {
  return atMs === null ? "" : new Date(atMs).toISOString().slice(0, 10);
}

/** The beginning of the day that a date field holds, by UTC. */
export function msOf(day: string): number | null {
  return day === "" ? null : Date.parse(`${day}T00:00:00Z`);
}

/** What is wrong with what a date field holds: it lets one type years of five and six digits. */
export function dayProblem(day: string): string | null {
  return Number.isNaN(msOf(day)) ? "must be a day of a year with four digits" : null;
}

const text = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

/** A day of a date field to be read: everywhere the one that was chosen. */
export function dayText(atMs: number): string {
  return text.format(atMs);
}
