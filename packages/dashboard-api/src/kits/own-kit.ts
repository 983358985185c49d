import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isFrozen, readProject } from "../project/project-store.js";
import { issueOwnKit } from "./issue-kits.js";
import type { KitParts } from "./kit-parts.js";
import { isCurrent, type KitRow, readKitRows } from "./kit-rows.js";
import { endingFromMs } from "./kit-view.js";
import { ownName } from "./project-files.js";

/** The folder of the dashboard's own kit, with which it connects to the server as a project admin; `undefined` before there is one. */
export async function ownKitFolder(parts: Pick<KitParts, "db" | "consoleFolder">): Promise<string | undefined> {
  for (const row of (await readKitRows(parts.db, { kind: "dashboard" })).filter(isCurrent)) {
    const dir = folderOf(parts, row);
    if (await isFolder(dir)) return dir;
  }
  return undefined;
}

/**
 * Issues the dashboard's own kit where there is none, where its certificate is in the last third of its life, or comes from a root that
 * is being replaced; to be called in a turn. Answers whether there is a new one.
 */
export async function renewOwnKit(parts: KitParts): Promise<boolean> {
  const { db, now, passphrase, workspace } = parts;
  const project = await readProject(db);
  if (!isFrozen(project) || !passphrase.isKnown) return false;
  const row = (await readKitRows(db, { kind: "dashboard" })).find(isCurrent);
  const root = (await workspace.trust(project.name))?.rootFingerprint;
  const isFit = row !== undefined && now() < endingFromMs(row) && row.root_fingerprint === root && (await isFolder(folderOf(parts, row)));
  if (isFit) return false;
  await issueOwnKit(parts, project, ownName(project));
  await removeOldKits(parts);
  return true;
}

/** Removes folders of kits that are not the current one: an earlier one, or one whose run was killed before it was noted. */
export async function removeOldKits(parts: Pick<KitParts, "db" | "consoleFolder">): Promise<void> {
  const current = (await readKitRows(parts.db, { kind: "dashboard" })).find(isCurrent);
  for (const name of await readdir(parts.consoleFolder)) {
    if (name !== current?.id) await rm(join(parts.consoleFolder, name), { recursive: true, force: true });
  }
}

function folderOf({ consoleFolder }: Pick<KitParts, "consoleFolder">, { id, participant }: KitRow): string {
  return join(consoleFolder, id, participant);
}

async function isFolder(dir: string): Promise<boolean> {
  return await stat(dir).then(
    (info) => info.isDirectory(),
    () => false,
  );
}
