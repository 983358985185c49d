import type { KeyObject } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Issuer } from "../pki/certificate.js";
import type { Project } from "../project/project.js";
import type { StoredIdentity } from "../state/project-state.js";
import { buildKit } from "./build-kit.js";
import { folderMode, KitWriter } from "./kit-writer.js";
import { createListenerIdentity } from "./listener-identity.js";
import { projectFiles } from "./project-files.js";

export interface WriteKitsInit {
  readonly project: Project;
  /** Name of the one participant whose kit is written, and nothing beside it; the project says whom it has to do with. @default all */
  readonly only?: string;
  /** A folder that does not exist yet; each kit gets a folder in it. */
  readonly dir: string;
  /** By name of the participant; each kit is written as soon as its identity is there. */
  readonly identities: ReadonlyMap<string, StoredIdentity | Promise<StoredIdentity>>;
  /** One root certificate, or several while one takes over from the other. */
  readonly rootCertificatePem: string;
  /** Signs every startup folder. */
  readonly rootKey: KeyObject;
  /** Issues the certificates of those that let others connect to them. */
  readonly issuer: Issuer;
  /** With which the server renews certificates, where the project lets it. */
  readonly issuing?: StoredIdentity | undefined;
  /** The trust list in force, where there is one. */
  readonly trustListText?: string | undefined;
  readonly now: Date;
  readonly signal: AbortSignal | undefined;
}

/** A kit is good at once on a machine whose clock is a little behind. */
const backdateMs = 5 * 60 * 1000;

/** Writes and signs the kit of every participant, and beside them what belongs to none. */
export async function writeKits(init: WriteKitsInit): Promise<void> {
  const { project, only, dir, identities, rootKey, issuer, now, signal } = init;
  const { keyType, leafLifetimeMs } = project.certificates;
  const validity = { from: new Date(now.getTime() - backdateMs), to: new Date(now.getTime() + leafLifetimeMs) };
  const writer = new KitWriter(rootKey);
  mkdirSync(dir, { mode: folderMode });
  for (const participant of project.participants.filter(({ name }) => only === undefined || name === only)) {
    // Keys that have come meanwhile are taken, and others begun: a kit is written without a pause.
    await setImmediate();
    signal?.throwIfAborted();
    const identity = await identities.get(participant.name);
    if (identity === undefined) throw new TypeError("a participant was left without an identity");
    const files = buildKit({
      project,
      participant,
      identity,
      rootCertificatePem: init.rootCertificatePem,
      listener: await createListenerIdentity({ participant, issuer, keyType, validity }),
      issuing: participant.type === "server" ? init.issuing : undefined,
      trustListText: init.trustListText,
    });
    writer.writeKit(join(dir, participant.name), files);
  }
  if (only === undefined) writer.writeFiles(dir, projectFiles(project));
  signal?.throwIfAborted();
}
