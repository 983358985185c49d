import { readFile, writeFile } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts/errors";
import { type Bootstrap, bootstrapVariable, protocolVersion } from "./protocol.js";

/** What a trainer needs to open its channel. */
export interface ReadBootstrap {
  readonly bootstrap: Bootstrap;
  /** File descriptor of the channel. */
  readonly fd: number;
}

/** Writes the file that a trainer starts from; only this user may read it. */
export async function writeBootstrap(path: string, bootstrap: Bootstrap): Promise<void> {
  await writeFile(path, `${JSON.stringify(bootstrap, null, 2)}\n`, { mode: 0o600 });
}

/**
 * Reads the file that FLARE_CLIENT_API_BOOTSTRAP names.
 *
 * @throws FlareError `client-api/no-bootstrap`, `client-api/bootstrap-invalid`, `client-api/version-mismatch`
 */
export async function readBootstrap(env: NodeJS.ProcessEnv): Promise<ReadBootstrap> {
  const file = env[bootstrapVariable];
  if (file === undefined || file === "") {
    throw new FlareError("client-api/no-bootstrap", `The environment variable ${bootstrapVariable} is not set.`);
  }
  let value: Partial<Bootstrap> | null;
  try {
    value = JSON.parse(await readFile(file, "utf8")) as Partial<Bootstrap> | null;
  } catch (cause) {
    throw new FlareError("client-api/bootstrap-invalid", `${file} cannot be read as JSON.`, { facts: { file }, cause });
  }
  if (value?.protocol_version !== protocolVersion) {
    throw versionMismatch(value?.protocol_version);
  }
  const { channel, job_id, site_name, datasets } = value;
  const fd = /^fd:([0-9]{1,4})$/.exec(String(channel))?.[1];
  if (fd === undefined || typeof job_id !== "string" || typeof site_name !== "string" || typeof datasets !== "object") {
    throw new FlareError("client-api/bootstrap-invalid", `${file} lacks a channel of the form fd:<n>, job_id, site_name or datasets.`, {
      facts: { file, channel: String(channel) },
    });
  }
  return { bootstrap: value as Bootstrap, fd: Number(fd) };
}

/** The error for a peer of another protocol version. */
export function versionMismatch(theirs: unknown): FlareError {
  const version = typeof theirs === "number" ? theirs : null;
  return new FlareError(
    "client-api/version-mismatch",
    `The other side speaks version ${version ?? "?"}, this one version ${protocolVersion}.`,
    {
      facts: { theirs: version, ours: protocolVersion },
    },
  );
}
