import { open, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import type { RandomBytes } from "./tokens.js";
import { Vault } from "./vault.js";

/**
 * Opens the vault by `dashboard.key` of the data folder; makes the key, readable by its owner only, where there is none.
 *
 * @throws FlareError `dashboard/invalid-settings` when the file holds no key or others can read it
 */
export async function openVault(components: { readonly randomBytes: RandomBytes }, init: { readonly dataFolder: string }): Promise<Vault> {
  const path = join(init.dataFolder, "dashboard.key");
  const key = (await readKey(path)) ?? (await makeKey(path, components.randomBytes));
  return new Vault(components, { key });
}

async function readKey(path: string): Promise<Uint8Array | undefined> {
  const text = await readFile(path, "utf8").catch((reason: NodeJS.ErrnoException) => {
    if (reason.code === "ENOENT") return undefined;
    throw new FlareError("file/unreadable", `${path} cannot be read: ${reason.message}.`, { facts: { path }, cause: reason });
  });
  if (text === undefined) return undefined;
  if (process.platform !== "win32" && ((await stat(path)).mode & 0o077) !== 0) {
    throw new FlareError("dashboard/invalid-settings", `${path} can be read by others; set its mode to 600.`, { facts: { path } });
  }
  const key = Buffer.from(text.trim(), "base64url");
  if (key.length !== 32) throw new FlareError("dashboard/invalid-settings", `${path} holds no key of 256 bits.`, { facts: { path } });
  return key;
}

/** The name appears when the key is on the disk: a crash in between must not leave half a key. */
async function makeKey(path: string, randomBytes: RandomBytes): Promise<Uint8Array> {
  const key = randomBytes(32);
  const draft = `${path}.new`;
  await unlink(draft).catch(() => undefined);
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${Buffer.from(key).toString("base64url")}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  return key;
}
