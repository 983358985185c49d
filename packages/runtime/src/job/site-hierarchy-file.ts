import {
  type Problem,
  type ReadDocument,
  readDocument,
  type SiteHierarchy,
  siteHierarchySchema,
  sitesOfHierarchy,
} from "@flare-ts/contracts";

/** @throws FlareError `job/invalid` with file and line of each mistake. */
export function parseSiteHierarchy(text: string, file: string): ReadDocument<SiteHierarchy> {
  return readDocument({ text, file, schema: siteHierarchySchema, code: "job/invalid" });
}

/**
 * What is wrong where sites of a job have no place in its hierarchy.
 *
 * @param whose - what these sites are those of, in words
 */
export function inNoLevel(document: ReadDocument<SiteHierarchy>, sites: readonly string[], whose: string): Problem | undefined {
  const placed = new Set(sitesOfHierarchy(document.value).map(({ site }) => site));
  const without = sites.filter((site) => !placed.has(site));
  if (without.length === 0) return undefined;
  const [names, isOne] = [without.map((site) => `'${site}'`).join(", "), without.length === 1];
  return document.problemAt(
    [document.value.level],
    `${names} of ${whose} ${isOne ? "is" : "are"} in no level; put ${isOne ? "it" : "them"} into one`,
  );
}
