import { existsSync, linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts/errors";
import { diskError } from "../store/file-model-store-disk.js";
import { identifyProcess, isAlive, type ProcessIdentity } from "./process-identity.js";

/** How a site stands with its server. */
export interface ServerContact {
  readonly state: "connected" | "unreachable" | "refused";
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Why it is not connected. */
  readonly reason?: string;
}

/** What a running server or site says of itself in `pid.fl`. */
export interface InstanceState extends ProcessIdentity {
  readonly state: "starting" | "ready";
  readonly sinceMs: number;
  /** Port that a server listens on. */
  readonly port?: number;
  /** Of a site. */
  readonly server?: ServerContact;
}

/** The claim of this process on a workspace, kept in FLARE's `pid.fl`. */
export interface InstanceLock {
  update(state: "starting" | "ready", port?: number): void;
  /** Says how the site stands with its server; a full disk is no reason to stop, so nothing is thrown. */
  tell(contact: ServerContact): void;
  release(): void;
}

/**
 * Claims a workspace for this process. A claim by a process that is gone is taken over.
 *
 * @throws FlareError `runtime/already-running` when another live process has it; that one is undisturbed.
 */
export function claimInstance(folder: string, nowMs: number): InstanceLock {
  const path = join(folder, "pid.fl");
  const self = identifyProcess(process.pid) ?? { pid: process.pid, started: "" };
  let said: InstanceState = { ...self, state: "starting", sinceMs: nowMs };
  const draft = `${path}.${process.pid}`;
  const write = (thenDo: () => void): void => {
    try {
      // Who may look into the folder may see whether its process runs, whichever account it runs as.
      writeFileSync(draft, JSON.stringify(said), { mode: 0o644 });
      thenDo();
    } finally {
      // A write that failed leaves a file too.
      rmSync(draft, { force: true });
    }
  };
  const say = (change: Partial<InstanceState>): void => {
    said = { ...said, ...change };
    write(() => renameSync(draft, path));
  };
  write(() => claimFile(draft, path, folder));
  removeDrafts(folder);
  return {
    update: (state, port) => say(port === undefined ? { state } : { state, port }),
    tell: (server) => {
      try {
        say({ server });
      } catch {
        // It is for people who look; a full disk is told elsewhere.
      }
    },
    release: () => {
      if (readInstance(folder)?.pid === process.pid) rmSync(path, { force: true });
    },
  };
}

/**
 * What `pid.fl` says, when the process behind it is alive.
 *
 * @throws FlareError `file/unreadable` where this account may not read it: whoever wrote it may well run.
 */
export function readInstance(folder: string): InstanceState | undefined {
  return readLive(join(folder, "pid.fl"));
}

function readLive(path: string): InstanceState | undefined {
  try {
    const state = JSON.parse(readFileSync(path, "utf8")) as InstanceState;
    return isAlive(state) ? state : undefined;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EACCES") return undefined;
    const message = `Cannot read ${path}, and so not tell whether a process of another account runs there.`;
    throw new FlareError("file/unreadable", message, { cause, facts: { file: path } });
  }
}

/** What processes that were killed while they wrote, or while they took over, have left. */
function removeDrafts(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /^pid\.fl\.(\d+)(\.dead)?$/.exec(name)?.[1];
    const isLeft = pid === undefined ? name.startsWith(rightPrefix) : identifyProcess(Number(pid)) === undefined;
    if (isLeft) rmSync(join(folder, name), { force: true });
  }
}

/** How the name of a right to take over begins; it ends with whose claim may be taken. */
const rightPrefix = "pid.fl.after.";

/** Beyond so many processes that died while they took over a kit, somebody has to look. */
const mostHeirs = 20;

/**
 * Takes over the claim of a process that is gone. There is one right to do so, a file that is named after that process, and whoever makes
 * it has it; when its owner is gone too, there is one right to its succession, and so on. The claim is then replaced at once: at no
 * moment is the kit free for somebody who has not looked at it.
 */
function takeOver(draft: string, path: string, folder: string): void {
  const dead = ownerText(path);
  let right = join(folder, `${rightPrefix}${dead}`);
  for (let heir = 0; !link(draft, right); heir += 1) {
    if (readLive(right) !== undefined || heir === mostHeirs) throw justTaken(folder);
    right = join(folder, `${rightPrefix}${ownerText(right)}.${heir}`);
  }
  // Another may have been here and gone between the look at the claim and the right to it.
  if (!existsSync(path) || ownerText(path) !== dead || readLive(path) !== undefined) {
    rmSync(right, { force: true });
    throw justTaken(folder);
  }
  renameSync(draft, path);
}

/** Whose claim or right a file is; the same text for all that cannot be read. */
function ownerText(path: string): string {
  try {
    const { pid, started } = JSON.parse(readFileSync(path, "utf8")) as Readonly<Record<string, unknown>>;
    return `${Number(pid)}-${typeof started === "string" && /^\d*$/.test(started) ? started : ""}`;
  } catch {
    return "nobody";
  }
}

function justTaken(folder: string): FlareError {
  return new FlareError("runtime/already-running", "Another process has just taken this kit.", { facts: { folder } });
}

/** Gives a file a second name; `false` when that is taken, which makes a claim atomic. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw diskError(error, to);
  }
}

function claimFile(draft: string, path: string, folder: string): void {
  if (link(draft, path)) return;
  const owner = readInstance(folder);
  if (owner !== undefined) {
    throw new FlareError("runtime/already-running", `This kit is in use by process ${owner.pid}.`, { facts: { folder, pid: owner.pid } });
  }
  // Its owner may have given it up at this moment.
  if (!existsSync(path) && link(draft, path)) return;
  takeOver(draft, path, folder);
}
