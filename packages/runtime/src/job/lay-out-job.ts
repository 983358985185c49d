import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FlareError, limits } from "@flare-ts/contracts";
import { diskError } from "../store/file-model-store-disk.js";
import type { ModelStore } from "../store/model-store.js";
import type { JobFile } from "./job-folder.js";
import { filesForApp, type JobManifest, metaFileOf } from "./job-manifest.js";

export interface LayOutJobInit {
  /** A manifest that `verifySignedJob` returned: its paths are safe. */
  readonly manifest: Pick<JobManifest, "files">;
  /** Finds the content of a file. */
  readonly find: ModelStore["find"];
  /** Folder of the job; it is made when it does not exist. */
  readonly destination: string;
  /** The app that runs here. */
  readonly app: string;
  /** Name of the site, or `server`. */
  readonly site: string;
  /**
   * Whether large files become further names of the store's objects instead of copies: at the server, where no code of the job runs.
   *
   * @default false
   */
  readonly isLinked?: boolean;
  readonly signal?: AbortSignal;
}

/** Where a job was laid out. */
export interface LaidOutJob {
  /** `<destination>/app_<site>`, with `config/` and `custom/` inside. */
  readonly appFolder: string;
  /** `<destination>/meta.json` (or `.yml`, as the job has it). */
  readonly metaFile: string;
}

/**
 * Writes the files of an app where its job process runs, each verified by its hash: copies, where job code may write its folder, which
 * must never reach the store. The app folder appears complete or not at all; one that is there already
 * stays as it is, so that a restarted job finds what it wrote.
 *
 * @throws FlareError `job/file-missing`, `job/file-mismatch`, `transfer/disk-full`
 */
export async function layOutJob(init: LayOutJobInit): Promise<LaidOutJob> {
  const { destination, app, site, manifest } = init;
  const meta = metaFileOf(manifest);
  if (meta === undefined) throw new TypeError("a manifest without meta.json is never verified");
  const name = appFolderName(site);
  const laidOut = { appFolder: join(destination, name), metaFile: join(destination, meta.path) };
  const partial = join(destination, `.${name}.${randomUUID()}`);
  try {
    await mkdir(destination, { recursive: true, mode: 0o700 });
    await removePartial(destination, name);
    await mkdir(partial, { mode: 0o700 });
    const newMeta = join(partial, meta.path);
    await copy(init, meta, newMeta);
    await rename(newMeta, laidOut.metaFile);
    if (!(await isLaidOut(destination, site))) {
      await mkdir(join(partial, "config"), { mode: 0o700 });
      for (const file of filesForApp(manifest, app)) {
        if (file !== meta) await copy(init, file, join(partial, file.path.slice(app.length + 1)));
      }
      await rename(partial, laidOut.appFolder);
    }
    await syncFolder(destination);
  } catch (error) {
    throw diskError(error, destination);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return laidOut;
}

/** Whether a job was laid out for this site, or for `server`, before. */
export async function isLaidOut(destination: string, site: string): Promise<boolean> {
  return stat(join(destination, appFolderName(site))).then(
    () => true,
    () => false,
  );
}

function appFolderName(site: string): string {
  return `app_${site}`;
}

async function copy(init: LayOutJobInit, file: JobFile, path: string): Promise<void> {
  const object = await init.find(file.sha256);
  if (object === undefined) {
    throw new FlareError("job/file-missing", `The file ${file.path} of the job is not in the store.`, {
      facts: { path: file.path, sha256: file.sha256 },
    });
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const hash = createHash("sha256");
  const isLinked = init.isLinked === true && file.size > limits.chunkBytes;
  if (isLinked) await link(object.path, path);
  const target = isLinked ? undefined : await open(path, "wx", 0o600);
  try {
    let size = 0;
    for await (const chunk of createReadStream(object.path, { signal: init.signal, highWaterMark: limits.chunkBytes })) {
      const bytes = chunk as Buffer;
      // A script that names its interpreter may be started by `command`.
      if (size === 0 && bytes.subarray(0, 2).toString("latin1") === "#!") await target?.chmod(0o700);
      size += bytes.length;
      hash.update(bytes);
      await target?.writeFile(bytes);
    }
    if (size !== file.size || hash.digest("hex") !== file.sha256) {
      throw new FlareError("job/file-mismatch", `The file ${file.path} of the job does not have the content that was signed.`, {
        facts: { path: file.path, sha256: file.sha256 },
      });
    }
    await target?.datasync();
  } finally {
    await target?.close();
  }
}

/** What a crash in the middle of an earlier layout left. */
async function removePartial(destination: string, name: string): Promise<void> {
  for (const entry of await readdir(destination)) {
    if (entry.startsWith(`.${name}.`)) await rm(join(destination, entry), { recursive: true, force: true });
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
