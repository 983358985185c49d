import { z } from "zod";

/** Sites in levels, such as countries, universities and hospitals. */
export interface SiteHierarchy {
  /** Name of the level that its members are of. */
  readonly level: string;
  /** Names of sites, and groups of them; one at least. */
  readonly members: readonly (string | HierarchyGroup)[];
}

/** A group of a hierarchy, such as one country. */
export interface HierarchyGroup extends SiteHierarchy {
  readonly name: string;
}

/** A site of a hierarchy, and where it stands in the document. */
export interface HierarchySite {
  readonly site: string;
  readonly path: readonly (string | number)[];
}

/** FLARE's key of the name of a group, or of a site in the result. */
const nameKey = "Name";

/** Keys that have a meaning of their own in FLARE's result. */
const reserved = [nameKey, "Global", "Local"];

/** Levels at most; more are a mistake, and would be the depth of each recursion. */
const mostLevels = 32;

/**
 * FLARE's form: an object whose only list is called like its level and has names of sites, or objects with a `Name` and the list of the next
 * level. Every level has members, no site stands in it twice, and no two groups of a list have one name.
 */
export const siteHierarchySchema = z.unknown().transform((written, context): SiteHierarchy => {
  const complaints: Complaint[] = [];
  const hierarchy = readLevel(written, [], complaints);
  if (hierarchy !== undefined && complaints.length === 0) complaints.push(...repeatedSites(hierarchy));
  for (const { path, message } of complaints) context.addIssue({ code: "custom", path: [...path], message });
  return hierarchy === undefined || complaints.length > 0 ? z.NEVER : hierarchy;
});

/** The sites of a hierarchy, in the order in which they are written. */
export function sitesOfHierarchy(hierarchy: SiteHierarchy): readonly HierarchySite[] {
  return hierarchy.members.flatMap((member, index) => {
    const place = [hierarchy.level, index];
    if (typeof member === "string") return [{ site: member, path: place }];
    return sitesOfHierarchy(member).map(({ site, path }) => ({ site, path: [...place, ...path] }));
  });
}

interface Complaint {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type Place = readonly (string | number)[];

function readLevel(written: unknown, path: Place, complaints: Complaint[]): SiteHierarchy | undefined {
  const complain = (message: string, at: Place = path): undefined => {
    complaints.push({ path: at, message });
  };
  if (typeof written !== "object" || written === null || Array.isArray(written))
    return complain('must be an object with one level, such as { "hospitals": ["site-1", "site-2"] }');
  const levels = Object.entries(written).filter(([key]) => path.length === 0 || key !== nameKey);
  const [first, second] = levels;
  if (first === undefined) return complain("has no level: a list of sites, or of groups");
  const [level, members] = first;
  if (second !== undefined)
    return complain(`has the levels '${level}' and '${second[0]}'; put one into the groups of the other`, [...path, second[0]]);
  const place = [...path, level];
  if (reserved.includes(level)) return complain(`'${level}' is no name for a level: results use it for something else`, place);
  if (!Array.isArray(members)) return complain("must be a list of sites, or of groups", place);
  if (members.length === 0) return complain("is a level without sites", place);
  if (place.length > 2 * mostLevels) return complain(`is deeper than ${mostLevels} levels`, place);
  const read = members.flatMap((member: unknown, index) => readMember(member, [...place, index], complaints) ?? []);
  const names = read.map((member) => (typeof member === "string" ? undefined : member.name));
  names.forEach((name, index) => {
    if (name !== undefined && names.indexOf(name) < index && read.length === members.length)
      complain(`'${name}' is the name of a group before`, [...place, index, nameKey]);
  });
  return { level, members: read };
}

function readMember(written: unknown, path: Place, complaints: Complaint[]): string | HierarchyGroup | undefined {
  if (typeof written === "string") {
    if (written !== "") return written;
    complaints.push({ path, message: "must be the name of a site, or a group" });
    return undefined;
  }
  if (typeof written !== "object" || written === null || Array.isArray(written)) {
    complaints.push({ path, message: `must be the name of a site, or a group: an object with a ${nameKey} and a level` });
    return undefined;
  }
  const name: unknown = Object.hasOwn(written, nameKey) ? (written as Readonly<Record<string, unknown>>)[nameKey] : undefined;
  if (typeof name !== "string" || name === "") {
    if (name !== undefined) complaints.push({ path: [...path, nameKey], message: "must be a text" });
    else {
      const near = Object.keys(written).find((key) => key.toLowerCase() === nameKey.toLowerCase());
      complaints.push({ path, message: `a group needs a ${nameKey}${near === undefined ? "" : `; is it '${near}'?`}` });
    }
    return undefined;
  }
  const below = readLevel(written, path, complaints);
  return below === undefined ? undefined : { name, ...below };
}

function repeatedSites(hierarchy: SiteHierarchy): Complaint[] {
  const seen = new Set<string>();
  return sitesOfHierarchy(hierarchy).flatMap(({ site, path }) => {
    if (!seen.has(site)) {
      seen.add(site);
      return [];
    }
    return [{ path, message: `the site '${site}' is in the hierarchy twice` }];
  });
}
