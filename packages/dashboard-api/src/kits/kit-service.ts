import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { FlareError, Turns } from "@flare-ts/contracts";
import { isFrozen, readProject, type StoredProject } from "../project/project-store.js";
import { answerRequests } from "./answer-requests.js";
import { CaPassphrase } from "./ca-passphrase.js";
import { CaWorkspace } from "./ca-workspace.js";
import { dropOldArchives, freeBrokenDownloads } from "./deliveries.js";
import type { KitParts } from "./kit-parts.js";
import { ownKitFolder, removeOldKits, renewOwnKit } from "./own-kit.js";
import { carryOutRevocations, noteRevocations, revokeStrangers } from "./revocations.js";
import { TrustLists } from "./trust-lists.js";

/** Everything that has to do with the CA and kits. */
export interface KitService {
  readonly parts: KitParts;
  /** Each new list of who is not trusted any more; whoever talks to the server passes the newest on. */
  readonly trustLists: TrustLists;
  /** Folder of the dashboard's own kit, `dashboard@<project>.internal`, a project admin; `undefined` before the project is frozen. */
  ownKitFolder(): Promise<string | undefined>;
  /** Tells when there is another kit of the dashboard's own; the returned function ends that. */
  onOwnKit(listener: () => void): () => void;
  /** Does what waited for the CA: revocations, requests, the dashboard's own kit. What fails is logged and tried again the next time. */
  catchUp(): Promise<void>;
  /** Takes nothing more on, and ends when nothing that uses the CA is under way. */
  close(): Promise<void>;
}

export interface OpenKitServiceInit {
  /** Where the workspace and the dashboard's own kit are kept. */
  readonly dataFolder: string;
  /** Of the CA's key. @default asked for when the project is frozen, and again after each start */
  readonly caPassphrase?: string | undefined;
  /** @default false */
  readonly isElsewhere?: boolean;
}

/** How often it is looked whether the dashboard's own certificate nears its end, and archives have waited too long. */
const lookEveryMs = 6 * 60 * 60_000;

/** How often it is looked whether `flare cert` has revoked something in the same workspace: the server has to hear of that soon. */
const lookForRevocationsMs = 10_000;

/**
 * Opens the CA's workspace, mends what a run that was killed left half done, and makes sure that a passphrase that was given is right.
 *
 * @throws FlareError `project/passphrase-wrong`, `project/state-invalid`
 */
export async function openKitService(
  components: Pick<KitParts, "db" | "now" | "randomBytes" | "logger" | "audit" | "changes" | "tasks">,
  { dataFolder, caPassphrase, isElsewhere = false }: OpenKitServiceInit,
): Promise<KitService> {
  const consoleFolder = join(dataFolder, "console");
  await mkdir(consoleFolder, { recursive: true, mode: 0o700 });
  const parts: KitParts = {
    ...components,
    workspace: await CaWorkspace.open(components, { dir: join(dataFolder, "provision") }),
    passphrase: new CaPassphrase({ passphrase: caPassphrase }),
    trustLists: new TrustLists(),
    turns: new Turns(),
    consoleFolder,
    isElsewhere,
  };
  const project = await readProject(parts.db);
  if (isFrozen(project)) await openProject(parts, project);
  await freeBrokenDownloads(parts);
  const listeners = new Set<() => void>();
  let toldOfKit = await ownKitFolder(parts);
  // Freezing makes the first kit itself: what counts is whether there is another one than was told of.
  const catchUp = async (): Promise<void> => {
    await catchUpWith(parts);
    const current = await ownKitFolder(parts);
    if (current === toldOfKit) return;
    toldOfKit = current;
    for (const listener of listeners) listener();
  };
  const timer = setInterval(() => parts.tasks.run("do what is due for the CA", catchUp), lookEveryMs).unref();
  let seenMs: number | undefined;
  const lookForRevocations = async (): Promise<void> => {
    const { name } = await readProject(parts.db);
    const writtenMs = await parts.workspace.trustWrittenMs(name);
    if (writtenMs === seenMs) return;
    await noteRevocations(parts);
    seenMs = writtenMs;
  };
  const revocationsTimer = setInterval(
    () => parts.tasks.run("look for revocations by flare cert", lookForRevocations),
    lookForRevocationsMs,
  ).unref();
  const stopListening = components.changes.subscribe((kind) => {
    if (kind === "people") parts.tasks.run("revoke kits of people", () => revokeStrangers(parts));
  });
  parts.tasks.run("do what waited for the CA", catchUp);
  return {
    parts,
    trustLists: parts.trustLists,
    ownKitFolder: () => ownKitFolder(parts),
    onOwnKit(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    catchUp,
    async close() {
      clearInterval(timer);
      clearInterval(revocationsTimer);
      stopListening();
      await parts.turns.idle();
    },
  };
}

async function openProject(parts: KitParts, project: StoredProject): Promise<void> {
  const { workspace, passphrase } = parts;
  if (passphrase.isKnown) await workspace.checkKey(project.name, passphrase.caKey());
  await noteRevocations(parts);
  await removeOldKits(parts);
}

async function catchUpWith(parts: KitParts): Promise<void> {
  await noteRevocations(parts);
  await revokeStrangers(parts);
  await dropOldArchives(parts);
  await parts.turns.take(async () => {
    await attempt(parts, async () => await carryOutRevocations(parts));
    await attempt(parts, async () => await answerRequests(parts));
    await attempt(parts, async () => void (await renewOwnKit(parts)));
  });
}

async function attempt({ logger }: KitParts, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (reason) {
    logger.error({ code: FlareError.from(reason).code, err: reason }, "what waited for the CA could not be done");
  }
}
