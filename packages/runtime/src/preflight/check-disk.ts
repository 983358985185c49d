import { randomUUID } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { type FlareError, limits } from "@flare-ts/contracts";
import { makeFolder } from "@flare-ts/provision/kit";
import { failed, type PreflightCheck, passed } from "./preflight-check.js";
import type { PreflightParts } from "./preflight-parts.js";

const trialBytes = 32 * 1024 * 1024;
/** Two rounds that touch: each with its model and its update. */
const modelsAtOnce = 4;

/** Whether a workspace can be written, how fast, and whether models of that size have room. */
export async function checkDisk(
  { readFreeSpace, steadyNow }: PreflightParts,
  { workspace, modelBytes, signal }: { readonly workspace: string; readonly modelBytes: number; readonly signal: AbortSignal },
): Promise<PreflightCheck> {
  let freeBytes: number;
  let bytesPerSecond: number;
  try {
    await makeFolder(workspace);
    freeBytes = await readFreeSpace(workspace);
    if (freeBytes < trialBytes + modelsAtOnce * modelBytes) return tooSmall(workspace, freeBytes, modelBytes);
    bytesPerSecond = await writeTrial(workspace, steadyNow, signal);
  } catch (error) {
    signal.throwIfAborted();
    const { message } = error as Error | FlareError;
    return failed(
      "disk",
      `Nothing can be written to ${workspace}: ${message}`,
      "Give the account that runs FLARE-TS the right to write there, or choose another workspace.",
      {
        folder: workspace,
      },
    );
  }
  return passed("disk", `${gigabytes(freeBytes)} free in ${workspace}, which takes ${Math.round(bytesPerSecond / 1e6)} MB/s.`, {
    folder: workspace,
    free_bytes: freeBytes,
    write_bytes_per_second: Math.round(bytesPerSecond),
  });
}

function tooSmall(workspace: string, freeBytes: number, modelBytes: number): PreflightCheck {
  const neededBytes = trialBytes + modelsAtOnce * modelBytes;
  return failed(
    "disk",
    `${gigabytes(freeBytes)} free in ${workspace}; models of ${gigabytes(modelBytes)} need ${gigabytes(neededBytes)}, for two rounds that touch.`,
    "Free space there, or choose another workspace.",
    { folder: workspace, free_bytes: freeBytes, needed_bytes: neededBytes },
  );
}

async function writeTrial(workspace: string, steadyNow: () => number, signal: AbortSignal): Promise<number> {
  const path = join(workspace, `.preflight-${randomUUID()}`);
  const chunk = Buffer.alloc(limits.chunkBytes, 0x5a);
  const file = await open(path, "wx", 0o600);
  try {
    const from = steadyNow();
    for (let written = 0; written < trialBytes; written += chunk.byteLength) {
      signal.throwIfAborted();
      await file.write(chunk);
    }
    await file.sync();
    return (trialBytes * 1000) / Math.max(steadyNow() - from, 1);
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

function gigabytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
