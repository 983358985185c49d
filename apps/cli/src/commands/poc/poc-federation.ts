import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import type { LocalService } from "../../local-federation/local-service.js";

/** A federation in the POC workspace, as `flare poc prepare` wrote it down. */
export interface PocFederation {
  /** The POC workspace. */
  readonly folder: string;
  readonly project: string;
  readonly port: number;
  /** Server first, then the relays, then the clients; each with the folder of its startup kit. */
  readonly services: readonly LocalService[];
  readonly adminName: string;
  readonly adminKit: string;
}

/** The file in the POC workspace that says what is in it; its presence is also the proof that the folder is ours. */
export const pocFileName = "poc.json";

/** What `poc.json` holds; folders are relative to it. */
export interface PocFile {
  readonly schema_version: "1";
  readonly project: string;
  readonly port: number;
  /** Folder of the kits, relative. */
  readonly kits: string;
  readonly server: string;
  /** Not from older versions. */
  readonly relays?: readonly string[];
  readonly clients: readonly string[];
  readonly admin: string;
}

/**
 * The federation that was prepared in a folder, or `undefined` when none was.
 *
 * @throws FlareError `poc/damaged`
 */
export async function readPocFederation(folder: string): Promise<PocFederation | undefined> {
  const path = join(folder, pocFileName);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || (error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw error;
  }
  const file = parsePocFile(text);
  if (file === undefined) throw new FlareError("poc/damaged", `${path} is not what flare poc prepare wrote.`, { facts: { file: path } });
  const kit = (name: string): string => join(folder, file.kits, name);
  return {
    folder,
    project: file.project,
    port: file.port,
    services: [
      { name: file.server, kind: "server", kit: kit(file.server) },
      ...(file.relays ?? []).map((name): LocalService => ({ name, kind: "relay", kit: kit(name) })),
      ...file.clients.map((name): LocalService => ({ name, kind: "client", kit: kit(name) })),
    ],
    adminName: file.admin,
    adminKit: kit(file.admin),
  };
}

function parsePocFile(text: string): PocFile | undefined {
  try {
    const file = JSON.parse(text) as PocFile;
    const names = [file.project, file.kits, file.server, file.admin, ...file.clients, ...(file.relays ?? [])];
    return names.every((name: unknown) => typeof name === "string") ? file : undefined;
  } catch {
    return undefined;
  }
}
