import { FlareError, simpleNameSchema, siteNameSchema } from "@flare-ts/contracts";
import type { StudySites } from "@flare-ts/runtime/admin";
import type { AdminOptions } from "../../admin-kit/with-admin.js";

/** What commands are given that name sites of a study. */
export interface StudySitesOptions extends AdminOptions {
  readonly name: string;
  /** As an org_admin names sites: lists, separated by commas or not. */
  readonly sites: readonly string[] | undefined;
  /** As a project_admin names sites: `org:site-1,site-2`. */
  readonly siteOrgs: readonly string[] | undefined;
}

/** The sites that a command line names. @throws FlareError `study/wrong-arguments` */
export function parseStudySites({ sites, siteOrgs }: Pick<StudySitesOptions, "sites" | "siteOrgs">): StudySites {
  if ((sites === undefined) === (siteOrgs === undefined)) {
    throw new FlareError("study/wrong-arguments", "Sites are named by either --site-org or --sites.");
  }
  if (sites !== undefined) return { sites: listOf(sites.join(",")) };
  const groups = new Map<string, string[]>();
  for (const written of siteOrgs ?? []) {
    const colon = written.indexOf(":");
    const [org, names] = [written.slice(0, colon).trim(), listOf(written.slice(colon + 1))];
    if (colon < 1 || org === "" || names.length === 0) {
      throw new FlareError("study/wrong-arguments", `--site-org ${JSON.stringify(written)} is not of the form org:site-1,site-2.`);
    }
    if (!simpleNameSchema.safeParse(org).success) throw notAName(org, "an organisation, which may hold letters, digits and _ only");
    groups.set(org, [...(groups.get(org) ?? []), ...names]);
  }
  return { siteOrgs: Object.fromEntries(groups) };
}

function listOf(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  const given = [...new Set(names.filter((name) => name !== ""))];
  const wrong = given.find((name) => !siteNameSchema.safeParse(name).success);
  if (wrong !== undefined) throw notAName(wrong, "a site, which may hold letters, digits, - and _ only, 63 at most");
  return given;
}

function notAName(text: string, of: string): FlareError {
  return new FlareError("study/wrong-arguments", `'${text.slice(0, 120)}' is not the name of ${of}.`);
}
