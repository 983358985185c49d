import { parseProject } from "@flare-ts/provision";
import { stringify } from "yaml";
import type { Database } from "../db/tables.js";
import { type ComposedPerson, composeDocument, composeExtras, composeProfile } from "../project/compose-document.js";
import type { FrozenProject, StoredProject } from "../project/project-store.js";
import { readSites, type StoredSite } from "../project/site-store.js";
import { isCurrent, readKitRows } from "./kit-rows.js";

/** The project file that kits are issued by: everybody who takes part, the dashboard included. */
export async function issuingText(db: Database, project: FrozenProject): Promise<string> {
  const sites = (await readSites(db)).filter(({ state }) => state === "approved");
  return await composeText(db, project, sites);
}

/**
 * Makes sure that kits can be issued once a site is approved: a name that no project file may have would stand in everybody's way.
 *
 * @throws FlareError `project/invalid`
 */
export async function checkComposes(db: Database, project: StoredProject, site: StoredSite): Promise<void> {
  if (project.name === "" || project.server === null) return;
  const sites = (await readSites(db)).filter(({ state, id }) => state === "approved" && id !== site.id);
  parseProject(await composeText(db, { ...project, state: "frozen", server: project.server }, [...sites, site]), "project.yml");
}

async function composeText(db: Database, project: FrozenProject, sites: readonly StoredSite[]): Promise<string> {
  const people = [...(await readPeople(db, project)), ownPerson(project)];
  return JSON.stringify(composeDocument({ project, sites, people }), undefined, 2);
}

/** The project as `project.yml` for people: approved sites and people, and what the dashboard keeps beside. */
export async function exportText(db: Database, project: StoredProject): Promise<string> {
  const sites = (await readSites(db)).filter(({ state }) => state === "approved");
  const document = composeDocument({ project, sites, people: await readPeople(db, project) });
  return stringify({ ...document, dashboard: composeExtras({ project, sites }) });
}

/**
 * The files that stay in the workspace for the command line. Who keeps an own key is not in `project.yml`: `flare provision` would make
 * it another.
 */
export async function workspaceTexts(db: Database, project: FrozenProject): Promise<{ projectText: string; profileText: string }> {
  const ownKey = new Set(
    (await readKitRows(db)).filter((row) => isCurrent(row) && row.source === "requested").map(({ participant }) => participant),
  );
  const sites = (await readSites(db)).filter(({ state, name }) => state === "approved" && !ownKey.has(name));
  const people = [...(await readPeople(db, project)).filter(({ email }) => !ownKey.has(email)), ownPerson(project)];
  const comment =
    ownKey.size === 0 ? "" : `# Participants that keep their own keys are not listed here: ${[...ownKey].sort().join(", ")}\n`;
  return {
    projectText: `# Written by the dashboard before each kit; changes are lost.\n${comment}${stringify(composeDocument({ project, sites, people }))}`,
    profileText: profileText(project),
  };
}

/** The profile that requests are answered by. */
export function profileText(project: FrozenProject): string {
  return stringify(composeProfile(project));
}

/**
 * The dashboard's own name in a project, `dashboard@<project>.internal`: admins are named by e-mail addresses, and `internal` is reserved
 * by ICANN for private use.
 */
export function ownName(project: Pick<StoredProject, "name">): string {
  const label = project.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, "");
  return `dashboard@${label}.internal`;
}

function ownPerson(project: FrozenProject): ComposedPerson {
  return { email: ownName(project), organization: project.server.organization, role: "project_admin" };
}

/** Whoever signed up with the dashboard's own name is nobody in the project. */
async function readPeople(db: Database, project: StoredProject): Promise<readonly ComposedPerson[]> {
  const people = await db
    .selectFrom("people")
    .select(["email", "organization", "role"])
    .where("state", "=", "approved")
    .orderBy("email")
    .execute();
  return people.filter(({ email }) => email !== ownName(project));
}
