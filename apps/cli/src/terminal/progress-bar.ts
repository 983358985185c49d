/** A bar of `width` characters, `done` of `total` filled; an unknown total gives an empty bar. */
export function barText(done: number, total: number, width = 24): string {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
  const filled = Math.round(share * width);
  return `${"█".repeat(filled)}${"░".repeat(width - filled)} ${String(Math.round(share * 100)).padStart(3)} %`;
}
