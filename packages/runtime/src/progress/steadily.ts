export interface SteadilyInit<Report> {
  /** Reports that are no news are told so often at most. */
  readonly everyMs: number;
  /** What has to be told at once. */
  isNews(report: Report, before: Report): boolean;
  tell(report: Report): void;
  /** Steady milliseconds. @default performance.now */
  readonly now?: () => number;
}

/** Thins out reports that come with each step of a long thing; the first, and all news, are told at once. */
export function steadily<Report>(init: SteadilyInit<Report>): (report: Report) => void {
  const { everyMs, isNews, tell, now = () => performance.now() } = init;
  let last: { readonly report: Report; readonly atMs: number } | undefined;
  return (report) => {
    const atMs = now();
    if (last !== undefined && atMs - last.atMs < everyMs && !isNews(report, last.report)) return;
    last = { report, atMs };
    tell(report);
  };
}
