import { statfs } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { FlareError } from "@flare-ts/contracts/errors";
import { isDiskFull } from "./file-model-store-disk.js";

export interface WhenThereIsRoomInit {
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
  /** Hears once why nothing moves. */
  readonly onFull?: ((error: unknown) => void) | undefined;
}

/** How often it is looked whether there is room again. */
const lookMs = 250;
/** With less than this a program that writes files may well have died of it. */
const nextToNothingBytes = 1024 * 1024;

/**
 * Carries out something that writes, and again for as long as the disk is full: a full disk is the operator's to clear, and no reason
 * to lose work. What is carried out must do no harm when it is begun anew.
 *
 * @throws what `action` throws for any other reason, and the reason of `signal` when it is aborted.
 */
export async function whenThereIsRoom<Result>(action: () => Promise<Result>, init: WhenThereIsRoomInit = {}): Promise<Result> {
  const { signal, onFull } = init;
  for (let isTold = false; ; isTold = true) {
    try {
      return await action();
    } catch (error) {
      if (!isFull(error)) throw error;
      signal?.throwIfAborted();
      if (!isTold) onFull?.(error);
    }
    await sleep(lookMs, undefined, signal === undefined ? {} : { signal }).catch(() => signal?.throwIfAborted());
  }
}

/**
 * Waits until the disk under a folder has room, where it has next to none.
 *
 * @returns whether it had to wait.
 * @throws the reason of `signal` when it is aborted.
 */
export async function waitForRoom(folder: string, signal: AbortSignal): Promise<boolean> {
  for (let hasWaited = false; ; hasWaited = true) {
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize >= nextToNothingBytes) return hasWaited;
    await sleep(lookMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** Whether something could not be written for want of room. */
export function isFull(error: unknown): boolean {
  if (isDiskFull(error)) return true;
  return error instanceof FlareError && (error.code === "transfer/disk-full" || error.code === "store/full");
}
