import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
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
      writeFileSync(draft, JSON.stringify(said), { mode: 0o600 });
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

/** What `pid.fl` says, when the process behind it is alive. */
export function readInstance(folder: string): InstanceState | undefined {
  return readLive(join(folder, "pid.fl"));
}

function readLive(path: string): InstanceState | undefined {
  try {
    const state = JSON.parse(readFileSync(path, "utf8")) as InstanceState;
    return isAlive(state) ? state : undefined;
  } catch {
    return undefined;
  }
}

/** What processes that were killed while they wrote have left. */
function removeDrafts(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /^pid\.fl\.(\d+)(\.dead)?$/.exec(name)?.[1];
    if (pid !== undefined && identifyProcess(Number(pid)) === undefined) rmSync(join(folder, name), { force: true });
  }
}

/**
 * Removes the claim of a process that is gone. One that another process made meanwhile, taking over too, is put back: that a third takes the
 * name in between is left to chance.
 */
function removeDead(path: string): void {
  const aside = `${path}.${process.pid}.dead`;
  try {
    renameSync(path, aside);
    if (readLive(aside) !== undefined) linkSync(aside, path);
  } catch (error) {
    if (!["ENOENT", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw diskError(error, path);
  } finally {
    rmSync(aside, { force: true });
  }
}

function claimFile(draft: string, path: string, folder: string): void {
  // A hard link fails when the name is taken, which makes the claim atomic; two rounds take over a dead owner's file.
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      linkSync(draft, path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw diskError(error, path);
    }
    const owner = readInstance(folder);
    if (owner !== undefined) {
      throw new FlareError("runtime/already-running", `This kit is in use by process ${owner.pid}.`, { facts: { folder, pid: owner.pid } });
    }
    removeDead(path);
  }
  throw new FlareError("runtime/already-running", "Another process has just taken this kit.", { facts: { folder } });
}
