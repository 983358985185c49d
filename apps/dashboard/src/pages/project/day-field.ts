/** A moment as a date field holds it, by UTC; empty for none. */
export function dayOf(atMs: number | null): string {
  return atMs === null ? "" : new Date(atMs).toISOString().slice(0, 10);
}

/** The beginning of the day that a date field holds, by UTC. */
export function msOf(day: string): number | null {
  return day === "" ? null : Date.parse(`${day}T00:00:00Z`);
}
