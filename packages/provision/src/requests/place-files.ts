import { randomUUID } from "node:crypto";
import { chmod, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { makeFolder } from "../kit/make-folder.js";
import { draftBeside } from "../state/draft-beside.js";

/** A file to be written. */
export interface PlacedFile {
  readonly name: string;
  readonly content: string | Uint8Array;
  readonly mode: number;
}

export interface PlaceFilesInit {
  readonly dir: string;
  readonly files: readonly PlacedFile[];
  /** Moves files of the same names into `.bak/<moment>/` instead of refusing. */
  readonly isForced: boolean;
  readonly now: Date;
  /** Called with the folder in which the files stand before they are placed; may add files, whose names it answers. */
  readonly complete?: (draft: string) => Promise<readonly string[]>;
}

/**
 * Writes files into a folder that only its owner may enter: all or none. What stood there under the same names is kept.
 *
 * @throws FlareError `file/exists`, `file/unwritable`.
 */
export async function placeFiles({ dir, files, isForced, now, complete }: PlaceFilesInit): Promise<void> {
  const target = resolve(dir);
  await makeFolder(dirname(target));
  const draft = await draftBeside(dirname(target));
  try {
    await mkdir(draft, { mode: 0o700 });
    for (const { name, content, mode } of files) {
      await writeFile(join(draft, name), content, { flag: "wx", mode, flush: true });
      await chmod(join(draft, name), mode);
    }
    const names = [...files.map(({ name }) => name), ...((await complete?.(draft)) ?? [])];
    await place({ draft, target, names, forcedAt: isForced ? now : undefined });
  } catch (cause) {
    throw asFlareError(cause, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function place(init: {
  readonly draft: string;
  readonly target: string;
  readonly names: readonly string[];
  readonly forcedAt: Date | undefined;
}): Promise<void> {
  const { draft, target, names, forcedAt } = init;
  const present = new Set(await readdir(target).catch(absent));
  if (present.size === 0 && !(await exists(target))) return await rename(draft, target);
  const old = names.filter((name) => present.has(name));
  const [first] = old;
  if (first !== undefined && forcedAt === undefined) {
    throw new FlareError("file/exists", `${join(target, first)} is there already.`, { facts: { file: join(target, first) } });
  }
  const moved: (readonly [from: string, to: string])[] = [];
  const move = async (from: string, to: string): Promise<void> => {
    await rename(from, to);
    moved.push([from, to]);
  };
  try {
    if (forcedAt !== undefined && old.length > 0) {
      const backup = join(target, ".bak", `${forcedAt.toISOString().replace(/[-:]|\.\d+/g, "")}-${randomUUID().slice(0, 8)}`);
      await makeFolder(backup, { mode: 0o700 });
      for (const name of old) await move(join(target, name), join(backup, name));
    }
    for (const name of names) await move(join(draft, name), join(target, name));
  } catch (cause) {
    for (const [from, to] of moved.toReversed()) await rename(to, from);
    throw cause;
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function absent(cause: NodeJS.ErrnoException): string[] {
  if (cause.code === "ENOENT") return [];
  throw cause;
}

function asFlareError(cause: unknown, dir: string): FlareError {
  const { code } = cause as NodeJS.ErrnoException;
  if (cause instanceof FlareError || typeof code !== "string") return FlareError.from(cause);
  return new FlareError("file/unwritable", `Cannot write ${dir} (${code}).`, { cause, facts: { file: dir, reason: code } });
}
