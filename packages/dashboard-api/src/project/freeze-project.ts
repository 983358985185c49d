import { FlareError } from "@flare-ts/contracts";
import { parseProject } from "@flare-ts/provision";
import type { Actor } from "../http/actor.js";
import { sealingPassphrase } from "../kits/ca-passphrase.js";
import { issueOwnKit } from "../kits/issue-kits.js";
import type { KitService } from "../kits/kit-service.js";
import { issuingText, ownName } from "../kits/project-files.js";
import { type FrozenProject, readProject, writeProject } from "./project-store.js";

/** Shortest passphrase of a CA. */
const leastChars = 12;

/**
 * Makes the project's CA and the dashboard's own kit, sealed by the passphrase, and locks the project. Nothing is locked when that
 * fails; whoever tries again goes on with the CA that was made.
 *
 * @throws FlareError `dashboard/project-elsewhere`, `dashboard/project-frozen`, `dashboard/conflict`, `dashboard/invalid-request`, `project/*`
 */
export async function freezeProject(kits: KitService, actor: Actor, passphrase: string | undefined): Promise<void> {
  const { parts } = kits;
  const { db, now, audit, changes, workspace } = parts;
  if (parts.isElsewhere) {
    throw new FlareError(
      "dashboard/project-elsewhere",
      "This dashboard watches a federation that has its CA elsewhere; it makes none itself.",
    );
  }
  await parts.turns.take(async () => {
    const project = await readProject(db);
    if (project.state === "frozen") throw new FlareError("dashboard/project-frozen", "The project is frozen already.");
    if (project.name === "" || project.server === null) {
      throw new FlareError("dashboard/conflict", "The project needs a name and a server before it can be frozen.");
    }
    const caPassphrase = choose(parts.passphrase, passphrase);
    const frozen: FrozenProject = { ...project, server: project.server, state: "frozen", frozenAtMs: now(), frozenBy: actor.name };
    // What the project file would be refused for is said before there is a CA.
    parseProject(await issuingText(db, frozen), "project.yml");
    const caKey = parts.passphrase.isKnown ? parts.passphrase.caKey() : sealingPassphrase(caPassphrase);
    if (await workspace.hasProject(project.name)) await workspace.checkKey(project.name, caKey);
    const wasKnown = parts.passphrase.isKnown;
    parts.passphrase.set(caKey);
    try {
      await issueOwnKit(parts, frozen, ownName(frozen));
      await db.transaction().execute(async (transaction) => {
        const change = { state: "frozen", frozenAtMs: frozen.frozenAtMs, frozenBy: frozen.frozenBy } as const;
        await writeProject(transaction, project, change, actor.name);
        await audit.write(transaction, { actor, action: "project.freeze", subject: project.name });
      });
    } catch (reason) {
      if (!wasKnown) parts.passphrase.forget();
      throw reason;
    }
  });
  changes.publish("project");
  await kits.catchUp();
}

function choose(
  given: { readonly isGiven: boolean; readonly isKnown: boolean; caKey(): { passphrase: string } },
  asked: string | undefined,
): string {
  if (given.isGiven && given.isKnown) {
    const { passphrase } = given.caKey();
    if (asked === undefined || asked === passphrase) return passphrase;
    throw new FlareError("dashboard/conflict", "The dashboard was started with a passphrase for the CA, and this is another one.");
  }
  if (asked === undefined) throw new FlareError("dashboard/invalid-request", "The request has mistakes: body.passphrase: is missing.");
  if (asked.length < leastChars) {
    throw new FlareError("project/passphrase-too-short", `The passphrase of the CA key has fewer than ${leastChars} characters.`);
  }
  return asked;
}
