import { readFile, writeFile } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts/errors";
import { findProfile } from "./find-profile.js";
import { type Bootstrap, bootstrapVariable, protocolVersion } from "./protocol.js";

/** Where the channel of a trainer is: a file descriptor that it has, or a UNIX socket to connect to. */
export type ChannelPlace = { readonly fd: number } | { readonly path: string };

/** Writes the file that a trainer starts from; only this user may read it. */
export async function writeBootstrap(path: string, bootstrap: Bootstrap): Promise<void> {
  await writeFile(path, `${JSON.stringify(bootstrap, null, 2)}\n`, { mode: 0o600 });
}

/**
 * Reads the file that FLARE_CLIENT_API_BOOTSTRAP names, else the profile of a job that waits for a trainer.
 *
 * @throws FlareError `client-api/no-bootstrap`, `client-api/bootstrap-invalid`, `client-api/version-mismatch`,
 *   `client-api/attach-refused`
 */
export async function readBootstrap(env: NodeJS.ProcessEnv): Promise<ChannelPlace> {
  const file = env[bootstrapVariable] || (await findProfile(env));
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
  const place = placeOf(String(channel));
  if (place === undefined || typeof job_id !== "string" || typeof site_name !== "string" || typeof datasets !== "object") {
    throw new FlareError(
      "client-api/bootstrap-invalid",
      `${file} lacks a channel of the form fd:<n> or unix:<path>, job_id, site_name or datasets.`,
      {
        facts: { file, channel: String(channel) },
      },
    );
  }
  return place;
}

function placeOf(channel: string): ChannelPlace | undefined {
  const fd = /^fd:([0-9]{1,4})$/.exec(channel)?.[1];
  if (fd !== undefined) return { fd: Number(fd) };
  return /^unix:./.test(channel) ? { path: channel.slice("unix:".length) } : undefined;
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
