import { defaultStudy, type ProjectDocument, studyNameSchema } from "@flare-ts/contracts";
import type { DocumentPath, Findings } from "./findings.js";
import type { Study } from "./project.js";

/** The studies of a project file, checked as FLARE does: every organisation, site and admin that they name must exist. */
export function readStudies(project: ProjectDocument, findings: Findings): Readonly<Record<string, Study>> | undefined {
  if (project.studies === undefined || project.studies === null) return undefined;
  const studies = Object.entries(project.studies);
  if (project.api_version !== 4) {
    findings.mistake(["studies"], "studies need api_version: 4");
    return undefined;
  }
  if (studies.length === 0) return undefined;
  const known = membersOf(project);
  return Object.freeze(
    Object.fromEntries(
      studies.map(([name, study]) => {
        const path = ["studies", name];
        checkName(name, path, findings);
        return [name, readStudy({ name, study: study ?? {}, path, known, findings })];
      }),
    ),
  );
}

interface Members {
  readonly orgs: ReadonlySet<string>;
  /** Organisation of each site. */
  readonly sites: ReadonlyMap<string, string>;
  readonly admins: ReadonlySet<string>;
}

function membersOf({ participants }: ProjectDocument): Members {
  const orgs = new Set<string>();
  const sites = new Map<string, string>();
  const admins = new Set<string>();
  for (const participant of participants) {
    if (participant.type === "overseer" || participant.type === "other") continue;
    orgs.add(participant.org);
    if (participant.type === "client") sites.set(participant.name, participant.org);
    if (participant.type === "admin") admins.add(participant.name);
  }
  return { orgs, sites, admins };
}

function checkName(name: string, path: DocumentPath, findings: Findings): void {
  if (name === defaultStudy) findings.mistake(path, `'${defaultStudy}' is the study of all sites and admins, and cannot be another`);
  const problem = studyNameSchema.safeParse(name).error?.issues[0]?.message;
  if (problem !== undefined) findings.mistake(path, `'${name}' cannot be the name of a study: it ${problem}`);
}

interface StudyInit {
  readonly name: string;
  readonly study: NonNullable<NonNullable<ProjectDocument["studies"]>[string]>;
  readonly path: DocumentPath;
  readonly known: Members;
  readonly findings: Findings;
}

function readStudy({ name, study, path, known, findings }: StudyInit): Study {
  const seen = new Set<string>();
  const siteOrgs = Object.entries(study.site_orgs ?? {});
  for (const [org, sites] of siteOrgs) {
    if (!known.orgs.has(org)) findings.mistake([...path, "site_orgs", org], `study '${name}' names '${org}', which is nobody's org`);
    sites.forEach((site, index) => {
      const problem = siteProblem(site, org, known, seen);
      if (problem !== undefined) findings.mistake([...path, "site_orgs", org, index], `study '${name}' ${problem}`);
      seen.add(site);
    });
  }
  const admins = study.admins ?? [];
  admins.forEach((admin, index) => {
    if (!known.admins.has(admin))
      findings.mistake([...path, "admins", index], `study '${name}' names '${admin}', who is no admin of this project`);
  });
  return Object.freeze({ siteOrgs: Object.fromEntries(siteOrgs), admins: [...new Set(admins)] });
}

function siteProblem(site: string, org: string, known: Members, seen: ReadonlySet<string>): string | undefined {
  const actual = known.sites.get(site);
  if (actual === undefined) return `names '${site}', which is no client of this project`;
  if (actual !== org) return `lists '${site}' under '${org}', but its org is '${actual}'`;
  return seen.has(site) ? `names '${site}' twice` : undefined;
}
