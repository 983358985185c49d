/** What a site was seen doing from a moment on. */
export interface PhaseMark {
  readonly phase: string;
  readonly fromMs: number;
}

/** Marks by site, oldest first. */
export type SitePhases = ReadonlyMap<string, readonly PhaseMark[]>;

/** What a site last said of its task. */
export interface SiteProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  /** What it waits for, or what moved last. */
  readonly reason?: string | undefined;
  readonly atMs: number;
}

/** Most marks that are kept of a site: some hundred rounds of a few phases each. */
const mostMarks = 512;

/** The track with what sites say now; the same object where nothing changed. */
export function trackPhases(track: SitePhases, progress: Readonly<Record<string, SiteProgress>>): SitePhases {
  let next: Map<string, readonly PhaseMark[]> | undefined;
  for (const [site, { phase, atMs }] of Object.entries(progress)) {
    const marks = (next ?? track).get(site) ?? [];
    if (marks.at(-1)?.phase === phase) continue;
    next ??= new Map(track);
    next.set(site, [...marks.slice(-mostMarks + 1), { phase, fromMs: atMs }]);
  }
  return next ?? track;
}
