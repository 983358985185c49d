import { FlareError } from "@flare-ts/contracts";
import type { AuditLog } from "../audit/audit-log.js";
import type { Database } from "../db/tables.js";
import type { Actor } from "../http/actor.js";
import { createId, type RandomBytes } from "../secrets/tokens.js";
import { checkChange } from "./check-project.js";
import { type ImportedSite, importDocument } from "./import-document.js";
import { readProject, writeProject } from "./project-store.js";
import { readSites, type StoredSite } from "./site-store.js";

/** What an import did beside changing the project. */
export interface ImportOutcome {
  addedSites: string[];
  changedSites: string[];
  peopleToInvite: { email: string; organization: string; role: string }[];
  warnings: string[];
}

interface ImportComponents {
  readonly db: Database;
  readonly audit: AuditLog;
  readonly now: () => number;
  readonly randomBytes: RandomBytes;
}

/**
 * Takes a project file over into a project that is not frozen: everything or nothing. Its sites are approved, as a project admin brings
 * them; people are named, to be invited.
 *
 * @throws FlareError `dashboard/project-frozen`, `dashboard/conflict`, `project/invalid`, `project/not-supported`
 */
export async function importIntoProject(components: ImportComponents, actor: Actor, text: string): Promise<ImportOutcome> {
  const { db, audit } = components;
  const { change, sites, people, warnings } = importDocument(text);
  return await db.transaction().execute(async (transaction) => {
    const project = await readProject(transaction);
    if (project.state === "frozen")
      throw new FlareError("dashboard/project-frozen", "The project is frozen; a file is taken over before that.");
    const known = new Map((await readSites(transaction)).map((site) => [site.name.toLowerCase(), site]));
    checkChange(project, change, [...sites, ...known.values()]);
    await writeProject(transaction, project, change, actor.name);
    const outcome: ImportOutcome = { addedSites: [], changedSites: [], peopleToInvite: [], warnings: [...warnings] };
    for (const site of sites) {
      const before = known.get(site.name.toLowerCase());
      await writeSite({ ...components, db: transaction }, actor, site, before);
      (before === undefined ? outcome.addedSites : outcome.changedSites).push(site.name);
    }
    const accounts = new Set((await transaction.selectFrom("people").select("email").execute()).map(({ email }) => email));
    outcome.peopleToInvite = people.filter(({ email }) => !accounts.has(email));
    const facts = { addedSites: outcome.addedSites.length, changedSites: outcome.changedSites.length };
    await audit.write(transaction, { actor, action: "project.import", subject: change.name ?? "", facts });
    return outcome;
  });
}

async function writeSite(
  { db, now, randomBytes }: ImportComponents,
  actor: Actor,
  site: ImportedSite,
  before: StoredSite | undefined,
): Promise<void> {
  const said = {
    name: site.name,
    organization: site.organization,
    gpus: site.capacity.gpus,
    mem_per_gpu_gib: site.capacity.memPerGpuGiB,
    allow_log_streaming: Number(site.allowLogStreaming),
  };
  if (before !== undefined) {
    const next = { ...said, version: before.version + 1, changed_by: actor.name };
    await db.updateTable("sites").set(next).where("id", "=", before.id).execute();
    return;
  }
  await db
    .insertInto("sites")
    .values({
      ...said,
      id: createId(randomBytes),
      name_key: site.name.toLowerCase(),
      description: site.description,
      state: "approved",
      properties: JSON.stringify(site.properties),
      created_at_ms: now(),
      created_by: actor.name,
      decided_at_ms: now(),
      decided_by: actor.name,
      decision_note: "",
      version: 1,
    })
    .execute();
}
