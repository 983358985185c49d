import type { Project } from "../contract/project.js";
import type { KitParts } from "../kits/kit-parts.js";
import { isFrozen, readProject } from "./project-store.js";

/** The project as the contract shows it. */
export async function showProject(parts: Pick<KitParts, "db" | "workspace" | "passphrase" | "isElsewhere">): Promise<Project> {
  const { db, workspace, passphrase } = parts;
  const project = await readProject(db);
  const { siteProperties, studies, ...rest } = project;
  const trust = isFrozen(project) ? await workspace.trust(project.name) : undefined;
  return {
    ...rest,
    isElsewhere: parts.isElsewhere,
    studies: [...studies],
    siteProperties: [...siteProperties],
    missing: [
      ...(project.name === "" ? ["The project needs a name."] : []),
      ...(project.server === null
        ? ["The project needs a server: the name under which sites reach it, and the organisation that runs it."]
        : []),
    ],
    isPassphraseGiven: passphrase.isGiven,
    authority:
      trust === undefined
        ? null
        : {
            rootFingerprint: trust.rootFingerprint,
            rootValidToMs: trust.rootValidTo.getTime(),
            isUnlocked: passphrase.isKnown,
            isRollingOver: trust.isRollingOver,
            trustListNumber: trust.trustList?.number ?? 0,
            waiting: await countWaiting(db),
          },
  };
}

async function countWaiting(db: KitParts["db"]): Promise<{ requests: number; revocations: number }> {
  const requests = await db
    .selectFrom("certificate_requests")
    .leftJoin("sites", "sites.id", "certificate_requests.site_id")
    .leftJoin("people", "people.id", "certificate_requests.person_id")
    .select("holder_id")
    .where((where) => where.or([where("sites.state", "=", "approved"), where("people.state", "=", "approved")]))
    .execute();
  const revocations = await db
    .selectFrom("kits")
    .select("participant")
    .distinct()
    .where("revocation_asked_at_ms", "is not", null)
    .where("revoked_at_ms", "is", null)
    .execute();
  return { requests: requests.length, revocations: revocations.length };
}
