/** A time as everybody reads it alike, wherever they are: `2026-11-27 14:16:04Z`. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}Z`;
}
