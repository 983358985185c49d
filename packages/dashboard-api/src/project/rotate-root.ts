import type { Actor } from "../http/actor.js";
import type { KitParts } from "../kits/kit-parts.js";
import { isCurrent, readKitRows } from "../kits/kit-rows.js";
import { renewOwnKit } from "../kits/own-kit.js";
import { readFrozenProject } from "./project-store.js";

/**
 * Makes a new root beside the old one. Kits that are issued from now on come from it; everybody trusts both.
 *
 * @throws FlareError `dashboard/project-draft`, `dashboard/ca-locked`, `project/rollover-under-way`
 */
export async function startRotation(parts: KitParts, actor: Actor): Promise<void> {
  const { db, workspace, passphrase, trustLists, audit, changes } = parts;
  await parts.turns.take(async () => {
    const { name } = await readFrozenProject(db);
    trustLists.publish(await workspace.startRollover(name, passphrase.caKey()));
    await audit.write(db, { actor, action: "project.rotate", subject: name, facts: { step: "start" } });
    await renewOwnKit(parts);
  });
  changes.publish("project");
  changes.publish("kits");
}

/**
 * Ends the trust in the old root.
 *
 * @throws FlareError `dashboard/project-draft`, `dashboard/ca-locked`, `project/no-rollover`, `project/rollover-not-done`
 */
export async function finishRotation(parts: KitParts, actor: Actor, isForced: boolean): Promise<void> {
  const { db, workspace, passphrase, trustLists, audit, changes } = parts;
  await parts.turns.take(async () => {
    const { name } = await readFrozenProject(db);
    const inUse = (await readUsed(parts)).map((row) => ({ name: row.participant, chainPem: row.certificate_pem }));
    trustLists.publish(await workspace.finishRollover({ project: name, caKey: passphrase.caKey(), inUse, isForced }));
    await audit.write(db, { actor, action: "project.rotate", subject: name, facts: { step: "finish", isForced } });
  });
  changes.publish("project");
  changes.publish("kits");
}

/** Names of the participants whose newest kit comes from a root that is being replaced. */
export async function readBehind(parts: KitParts): Promise<readonly string[]> {
  const project = await readFrozenProject(parts.db);
  const trust = await parts.workspace.trust(project.name);
  if (trust?.isRollingOver !== true) return [];
  const rows = (await readUsed(parts)).filter(({ root_fingerprint }) => root_fingerprint !== trust.rootFingerprint);
  return [...new Set(rows.map(({ participant }) => participant))].sort();
}

async function readUsed({ db, now }: KitParts) {
  return (await readKitRows(db)).filter((row) => isCurrent(row) && row.valid_to_ms > now());
}
