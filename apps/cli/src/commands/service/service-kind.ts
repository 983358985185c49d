import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";

const serviceKinds = ["server", "client", "relay"] as const;

/** The kinds of long-running processes. */
export type ServiceKind = (typeof serviceKinds)[number];

/** What a person calls it. */
export function serviceWord(kind: ServiceKind): string {
  return kind === "client" ? "site" : kind;
}

/**
 * Keeps a command from taking the kit of one kind for that of another, or a path with a slip of the pen for a service that does not run.
 * Nothing else of the folder is looked at: a `--workspace` of a start is good, and so is a kit that was damaged since.
 *
 * @throws FlareError `kit/not-a-folder`, `kit/wrong-type`.
 */
export function requireFolderOf(kind: ServiceKind, dir: string): void {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new FlareError("kit/not-a-folder", `${dir} is not a folder.`, { facts: { dir } });
  const holds = (type: ServiceKind): boolean => existsSync(join(dir, "startup", `fed_${type}.json`));
  const other = serviceKinds.find(holds);
  if (other === undefined || holds(kind)) return;
  throw new FlareError("kit/wrong-type", `${dir} is the kit of a ${other}, not of a ${kind}.`, { facts: { dir, type: other } });
}

/**
 * Keeps a start in the background from writing a log into a folder that is no kit, and from starting what a kit of another kind starts.
 *
 * @throws FlareError `kit/not-a-folder`, `kit/wrong-type`, `kit/not-a-kit`.
 */
export function requireKitOf(kind: ServiceKind, dir: string): void {
  requireFolderOf(kind, dir);
  const startup = join(dir, "startup");
  if (existsSync(join(startup, `fed_${kind}.json`))) return;
  const message = existsSync(startup) ? `${startup} has no fed_${kind}.json.` : `${dir} has no folder startup.`;
  throw new FlareError("kit/not-a-kit", message, { facts: { dir } });
}
