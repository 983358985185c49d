import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { dirname } from "node:path";
import process from "node:process";
import { makeFolder } from "../make-folder.js";

/** What a trial has shown. */
export interface Trial {
  readonly cpuMs: number;
  readonly deviceMs: number;
  readonly updates: number;
  readonly elements: number;
}

/** Trials by machine and Node, since a copied home folder may be read on another one. */
type TrialsFile = Readonly<Record<string, Readonly<Record<string, Trial>>>>;

/** An earlier trial; `undefined` where there is none that can be read. */
export async function readTrial(path: string, key: string): Promise<Trial | undefined> {
  const trial: Partial<Trial> | null | undefined = (await readTrials(path))[machine()]?.[key];
  const { cpuMs, deviceMs, updates, elements } = trial ?? {};
  return isTime(cpuMs) && isTime(deviceMs) && isTime(updates) && isTime(elements) ? { cpuMs, deviceMs, updates, elements } : undefined;
}

/** Keeps a trial. That it cannot be written is no reason to fail: it is made again. */
export async function writeTrial(path: string, key: string, trial: Trial): Promise<void> {
  const trials = await readTrials(path);
  const own = { ...trials[machine()], [key]: trial };
  const part = `${path}.${process.pid}.part`;
  try {
    await makeFolder(dirname(path));
    await writeFile(part, `${JSON.stringify({ ...trials, [machine()]: own }, undefined, 2)}\n`);
    await rename(part, path);
  } catch {
    await rm(part, { force: true }).catch(() => {});
  }
}

/** Or another number that a trial has. */
function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

async function readTrials(path: string): Promise<TrialsFile> {
  try {
    const read: unknown = JSON.parse(await readFile(path, "utf8"));
    return typeof read === "object" && read !== null ? (read as TrialsFile) : {};
  } catch {
    return {};
  }
}

function machine(): string {
  const [cpu] = cpus();
  return `${cpu?.model.trim() ?? "unknown"} x ${cpus().length}, Node ${process.version}`;
}
