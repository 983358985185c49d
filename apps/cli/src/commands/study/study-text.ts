import type { Json } from "@flare-ts/contracts";
import type { StudyDescription } from "@flare-ts/runtime/admin";

/** A study as it stands in the JSON envelope; the keys are FLARE's. */
export function studyData({ name, site_orgs, sites, users }: StudyDescription): { [key: string]: Json } {
  const orgs = Object.entries(site_orgs).map(([org, own]) => [org, [...own]] as const);
  return { name, site_orgs: Object.fromEntries(orgs), sites: [...sites], users: [...users] };
}

/** A study in lines for people. */
export function studyLines({ name, site_orgs, users }: StudyDescription): string[] {
  const orgs = Object.entries(site_orgs).map(([org, sites]) => `  ${org}: ${sites.join(", ")}`);
  return [`study ${name}`, ...(orgs.length === 0 ? ["  no sites"] : orgs), `  users: ${users.length === 0 ? "none" : users.join(", ")}`];
}
