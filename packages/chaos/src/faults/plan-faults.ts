import { seededRandom } from "../random.js";
import type { FaultKind, PlannedFault } from "./fault.js";

export interface PlanFaultsInit {
  readonly seed: number;
  readonly count: number;
  readonly kinds: readonly FaultKind[];
  readonly sites: readonly string[];
}

const hourMs = 3_600_000;

/**
 * Says which faults happen, in which order, how far apart and for how long. Each kind has its turn before one comes again. The plan
 * is the same for the same arguments; what the machine does in between is not.
 */
export function planFaults({ seed, count, kinds, sites }: PlanFaultsInit): readonly PlannedFault[] {
  const random = seededRandom(seed);
  let bag: FaultKind[] = [];
  const nextKind = (): FaultKind | undefined => {
    if (bag.length === 0) bag = random.shuffled(kinds);
    return bag.pop();
  };
  return Array.from({ length: count }, (_, index) => {
    const kind = nextKind();
    if (kind === undefined) throw new RangeError("a plan needs a kind of fault");
    return {
      number: index + 1,
      kind,
      gapMs: random.between(100, 1_200),
      durationMs: durationOf(kind, random.next(), random.next()),
      site: random.pick(sites) ?? "",
      bytes: random.between(1, 3_000_000),
      clockMs: random.next() < 0.5 ? hourMs : -hourMs,
      isServers: random.next() < 0.5,
    };
  });
}

function durationOf(kind: FaultKind, which: number, share: number): number {
  // One hole in six outlasts the silence after which both ends give a link up; the others do not.
  if (kind === "black-hole" && which < 1 / 6) return 21_000 + share * 4_000;
  return 500 + share * 4_500;
}
