import { join } from "node:path";
import { archiveFolder } from "../archive/archive-folder.js";
import { createPassphrase } from "../archive/passphrase.js";

interface ArchiveKitsInit {
  /** Folder that holds each kit under its participant's name. */
  readonly dir: string;
  readonly names: readonly string[];
  readonly now: Date;
  readonly signal: AbortSignal | undefined;
}

/** Name of the archive of a participant's kit, beside the kit. */
export function archiveName(name: string): string {
  return `${name}.zip`;
}

/**
 * Puts each kit into an encrypted archive of its own, beside its folder, and answers each one's random passphrase by the
 * participant's name. It stands nowhere else.
 */
export async function archiveKits({ dir, names, now, signal }: ArchiveKitsInit): Promise<ReadonlyMap<string, string>> {
  const passphrases = new Map<string, string>();
  for (const name of names) {
    signal?.throwIfAborted();
    const passphrase = createPassphrase();
    await archiveFolder({ dir: join(dir, name), under: name, file: join(dir, archiveName(name)), modified: now, passphrase, signal });
    passphrases.set(name, passphrase);
  }
  return passphrases;
}
