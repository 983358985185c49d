import type { SiteHierarchy } from "@flare-ts/contracts/job";
import { exactSumReference } from "./exact-sum.reference.js";
import { pooled } from "./local-statistics.test-support.js";

/** What a group of a hierarchy comes to, from the values of its sites in one place. */
export interface ReferenceGroup {
  readonly names: readonly string[];
  readonly level: string | undefined;
  readonly isSite: boolean;
  /** `undefined` where no site of it has values. */
  readonly all: (ReturnType<typeof pooled> & { readonly sumOfSums: number }) | undefined;
}

/** All groups of a hierarchy, each before what is in it: slow and obvious. */
export function referenceGroups(hierarchy: SiteHierarchy, values: Readonly<Record<string, readonly number[]>>): readonly ReferenceGroup[] {
  const of = (sites: readonly string[]): ReferenceGroup["all"] => {
    const own = sites.flatMap((site) => (values[site] === undefined ? [] : [values[site]]));
    if (own.length === 0) return undefined;
    // Each site adds its own values up, which is rounded; what all sites say is added without.
    return { ...pooled(own.flat()), sumOfSums: exactSumReference(own.map((one) => pooled(one).sum)) };
  };
  const below = ({ level, members }: SiteHierarchy, names: readonly string[]): ReferenceGroup[] =>
    members.flatMap((member) => {
      const isSite = typeof member === "string";
      const path = [...names, isSite ? member : member.name];
      const group = { names: path, level, isSite, all: of(isSite ? [member] : sitesIn(member)) };
      return isSite ? [group] : [group, ...below(member, path)];
    });
  return [{ names: [], level: undefined, isSite: false, all: of(sitesIn(hierarchy)) }, ...below(hierarchy, [])];
}

function sitesIn({ members }: SiteHierarchy): string[] {
  return members.flatMap((member) => (typeof member === "string" ? [member] : sitesIn(member)));
}
