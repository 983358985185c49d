import type { StudyDescription, StudySitesChange } from "@flare-ts/runtime/admin";
import { withAdmin } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { parseStudySites, type StudySitesOptions } from "./study-sites.js";
import { studyData, studyLines } from "./study-text.js";

/** Makes a study, or adds sites to one that is there. */
export async function registerStudy(context: CommandContext, options: StudySitesOptions): Promise<CommandOutput> {
  const sites = parseStudySites(options);
  const study: StudyDescription = await withAdmin(context, options, (session) =>
    session.studies.register(options.name, sites, context.signal),
  );
  return { data: studyData(study), text: studyLines(study), hints: [`Next: flare study add-user ${study.name} <user>`] };
}

/** Adds sites to a study. */
export async function addSites(context: CommandContext, options: StudySitesOptions): Promise<CommandOutput> {
  const sites = parseStudySites(options);
  return outputOf(await withAdmin(context, options, (session) => session.studies.addSites(options.name, sites, context.signal)));
}

/** Removes sites from a study; they leave its jobs at once. */
export async function removeSites(context: CommandContext, options: StudySitesOptions): Promise<CommandOutput> {
  const sites = parseStudySites(options);
  return outputOf(await withAdmin(context, options, (session) => session.studies.removeSites(options.name, sites, context.signal)));
}

function outputOf(change: StudySitesChange): CommandOutput {
  const told = {
    added: change.added,
    already_enrolled: change.already_enrolled,
    removed: change.removed,
    not_enrolled: change.not_enrolled,
  };
  const lists = Object.entries(told).flatMap(([key, sites]) => (sites === undefined ? [] : [[key, [...sites]] as const]));
  const { study, site_orgs, sites } = change;
  return {
    data: { study, ...Object.fromEntries(lists), site_orgs: orgsOf(site_orgs), sites: [...sites] },
    text: [
      ...lists.filter(([, names]) => names.length > 0).map(([key, names]) => `${wordsFor[key] ?? key}: ${names.join(", ")}`),
      `sites of ${study}: ${sites.length === 0 ? "none" : sites.join(", ")}`,
    ],
  };
}

const wordsFor: Readonly<Record<string, string>> = {
  added: "added",
  already_enrolled: "there before",
  removed: "removed",
  not_enrolled: "not there",
};

function orgsOf(orgs: StudySitesChange["site_orgs"]): { [org: string]: string[] } {
  return Object.fromEntries(Object.entries(orgs).map(([org, sites]) => [org, [...sites]]));
}
