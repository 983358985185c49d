import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FlareError, provisionStateSchema, readDocument } from "@flare-ts/contracts";

/** A certificate with its private key, both in PEM. */
export interface StoredIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** What a workspace keeps from one provisioning run to the next. */
export interface ProjectState {
  readonly root: StoredIdentity;
  readonly participants: ReadonlyMap<string, StoredIdentity>;
}

const folder = "state";
const file = "cert.json";

/** Path of the file that holds a project's root key and every participant's key. */
export function statePath(projectDir: string): string {
  return join(projectDir, folder, file);
}

/**
 * Reads what the workspace keeps; `undefined` when nothing was provisioned yet.
 *
 * @throws FlareError `project/state-invalid` when the file is damaged.
 */
export async function readState(projectDir: string): Promise<ProjectState | undefined> {
  const path = statePath(projectDir);
  const text = await readText(path);
  if (text === undefined) return undefined;
  const { value } = readDocument({ text, file: path, schema: provisionStateSchema, code: "project/state-invalid" });
  const { root_cert, root_pri_key, ...rest } = value;
  return {
    root: { certificatePem: root_cert, privateKeyPem: root_pri_key },
    participants: new Map(
      Object.entries(rest).map(([name, { cert, pri_key }]) => [name, { certificatePem: cert, privateKeyPem: pri_key }]),
    ),
  };
}

/**
 * Replaces the kept state as a whole, in FLARE's shape, readable for the owner only; answers how to take the change back.
 * A crash leaves the old state or the new one, never a part.
 */
export async function writeState(projectDir: string, state: ProjectState): Promise<() => Promise<void>> {
  const path = statePath(projectDir);
  const previous = await readText(path);
  const entries = [...state.participants].map(([name, { certificatePem, privateKeyPem }]) => [
    name,
    { cert: certificatePem, pri_key: privateKeyPem },
  ]);
  const text = JSON.stringify(
    { root_cert: state.root.certificatePem, root_pri_key: state.root.privateKeyPem, ...Object.fromEntries(entries) },
    undefined,
    2,
  );
  if (text === previous) return async () => {};
  await mkdir(join(projectDir, folder), { recursive: true, mode: 0o700 });
  await replaceFile(path, text);
  return async () => {
    if (previous === undefined) await rm(join(projectDir, folder), { recursive: true, force: true });
    else await replaceFile(path, previous);
  };
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  await writeFile(temporary, text, { mode: 0o600, flag: "wx", flush: true });
  await rename(temporary, path);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FlareError("file/unreadable", `Cannot read ${path}.`, { cause, facts: { file: path } });
  }
}
