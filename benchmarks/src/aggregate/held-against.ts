import { type BaselineName, baselineForm } from "./baselines/forms.ts";
import type { FigureHead } from "./contestant.ts";

/** Which figures those of engines are held against. */
export interface HeldAgainst {
  /** For updates in memory, on so many threads. */
  memory(threads: number): FigureHead["against"];
  /** For whole sessions over files. */
  readonly files: FigureHead["against"];
}

/**
 * Finds what does the same as an engine: the first baseline of each library, with as many threads or the nearest number below, and
 * reading memory on as many threads.
 *
 * @param heads - of what is measured besides engines
 */
export function heldAgainst(
  heads: readonly FigureHead[],
  strategy: { readonly baselines: readonly BaselineName[]; readonly fileBaseline: BaselineName | undefined },
): HeldAgainst {
  const nearest = (prefix: string, threads: number): string | undefined => {
    const found = heads.filter(({ id }) => id.startsWith(`${prefix}/t`)).toSorted((a, b) => a.threads - b.threads);
    return (found.findLast((head) => head.threads <= threads) ?? found[0])?.id;
  };
  const baseline = (names: readonly BaselineName[], library: "numpy" | "torch", threads: number): string | undefined =>
    names
      .filter((name) => baselineForm(name).library === library)
      .map((name) => nearest(`baseline/${name}`, threads))
      .find((id) => id !== undefined);
  return {
    memory: (threads) =>
      defined({
        numpy: baseline(strategy.baselines, "numpy", threads),
        torch: baseline(strategy.baselines, "torch", threads),
        read: nearest("machine/read", threads),
      }),
    files: defined({
      numpy: baseline(strategy.fileBaseline === undefined ? [] : [strategy.fileBaseline], "numpy", 1),
      read: nearest("machine/files", 1),
    }),
  };
}

function defined(against: { readonly [key in keyof FigureHead["against"]]: string | undefined }): FigureHead["against"] {
  return Object.fromEntries(Object.entries(against).filter(([, id]) => id !== undefined));
}
