import { byteSizeText } from "@flare-ts/contracts";
import type { Logger } from "../logging/logger.js";
import type { DiskBudget } from "./disk-budget.js";

/** Something that holds memory while it lasts, and may take up room on the disk. */
export interface AdmissionRequest {
  /** Who asks: the name of a participant, or of a job. */
  readonly who: string;
  /** What for, such as `upload`. */
  readonly what: string;
  /** Bytes that are going to be written to this disk; 0 where nothing is. */
  readonly diskBytes: number;
}

/** A request that has not been let in yet. */
export interface WaitingRequest extends AdmissionRequest {
  readonly reason: string;
  readonly sinceMs: number;
}

/** What a request was let in for; it counts until it is left. */
export interface Admitted {
  /** So many bytes were moved: those on the disk are not promised any more, and whoever moves few does not keep others out. */
  note(bytes: number): void;
  leave(): void;
}

export interface AdmissionComponents {
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds that only go forward. */
  readonly steadyNow: () => number;
  readonly disk?: DiskBudget | undefined;
}

export interface AdmissionInit {
  /** How many may be in at once. */
  readonly most: number;
  /** What sets that, for messages, such as `--max-memory 512 MiB`. */
  readonly setBy: string;
  /** How many that move bytes fast may be in at once; more would only share the same processor. @default as many as `most` */
  readonly mostBusy?: number | undefined;
}

interface Entry extends AdmissionRequest {
  readonly sinceMs: number;
  readonly onWait: ((reason: string) => void) | undefined;
  readonly admit: (admitted: Admitted) => void;
  reason: string;
}

/** Whoever has moved so many bytes in the latest span is busy, and so is whoever came in during it. */
const busyBytes = 4 * 2 ** 20;
const spanMs = 250;

/**
 * Lets requests in in the order in which they were made, as memory and disk allow; what waits says why. A request that waits for the disk
 * lets those pass that write nothing: they may be what makes room.
 */
export class Admission {
  readonly #parts: AdmissionComponents;
  readonly #init: AdmissionInit;
  readonly #waiting: Entry[] = [];
  readonly #inside = new Set<Inside>();
  #looking: Promise<void> | undefined;
  #isLookDue = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(components: AdmissionComponents, init: AdmissionInit) {
    this.#parts = components;
    this.#init = init;
  }

  /**
   * Resolves when the request is let in.
   *
   * @param onWait - hears why it waits, each time that the reason becomes another one
   * @throws the reason of the signal
   */
  async enter(request: AdmissionRequest, signal?: AbortSignal, onWait?: (reason: string) => void): Promise<Admitted> {
    signal?.throwIfAborted();
    return await new Promise<Admitted>((resolve, reject) => {
      const leave = (): void => {
        const at = this.#waiting.indexOf(entry);
        if (at < 0) return;
        this.#waiting.splice(at, 1);
        reject(signal?.reason as Error);
        this.#look();
      };
      const entry: Entry = {
        ...request,
        sinceMs: this.#parts.now(),
        onWait,
        reason: "",
        admit: (admitted) => {
          signal?.removeEventListener("abort", leave);
          resolve(admitted);
        },
      };
      signal?.addEventListener("abort", leave, { once: true });
      this.#waiting.push(entry);
      this.#look();
    });
  }

  /** What waits, in order. */
  waiting(): readonly WaitingRequest[] {
    return this.#waiting
      .filter(({ reason }) => reason !== "")
      .map(({ who, what, diskBytes, reason, sinceMs }) => ({ who, what, diskBytes, reason, sinceMs }));
  }

  #look(): void {
    this.#isLookDue = true;
    this.#looking ??= this.#lookWhileDue().finally(() => {
      this.#looking = undefined;
    });
  }

  async #lookWhileDue(): Promise<void> {
    while (this.#isLookDue) {
      this.#isLookDue = false;
      await this.#pass();
    }
    // Room also comes without a word: a disk is cleared, a fast sender becomes slow.
    clearTimeout(this.#timer);
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#look(), spanMs).unref();
  }

  async #pass(): Promise<void> {
    let diskReason: string | undefined;
    for (const entry of [...this.#waiting]) {
      const { diskBytes } = entry;
      const crowd = this.#crowded();
      if (crowd === undefined && diskBytes > 0) diskReason ??= await this.#parts.disk?.shortage(diskBytes, this.#promised());
      // It may have given up meanwhile.
      if (!this.#waiting.includes(entry)) continue;
      const reason = crowd ?? (diskBytes > 0 ? diskReason : undefined);
      if (reason === undefined) this.#admit(entry);
      else this.#tell(entry, reason);
    }
  }

  #admit(entry: Entry): void {
    this.#waiting.splice(this.#waiting.indexOf(entry), 1);
    if (entry.reason !== "") {
      const { who, what } = entry;
      this.#parts.logger.info("goes on after waiting", { who, what, waitedMs: this.#parts.now() - entry.sinceMs });
    }
    const inside = new Inside(entry.diskBytes, this.#parts.steadyNow);
    this.#inside.add(inside);
    entry.admit({
      note: (bytes) => inside.note(bytes),
      leave: () => {
        if (this.#inside.delete(inside) && this.#waiting.length > 0) this.#look();
      },
    });
  }

  #tell(entry: Entry, reason: string): void {
    if (entry.reason === reason) return;
    const { who, what, diskBytes } = entry;
    const size = diskBytes > 0 ? { size: byteSizeText(diskBytes) } : {};
    // Once for each wait: figures in the reason change all the time.
    this.#parts.logger[entry.reason === "" ? "warn" : "debug"]("waits for room", { who, what, ...size, reason });
    entry.reason = reason;
    entry.onWait?.(reason);
  }

  #crowded(): string | undefined {
    const { most, mostBusy = most, setBy } = this.#init;
    if (this.#inside.size >= most) return `${this.#inside.size} are under way, as many as ${setBy} lets in`;
    const busy = [...this.#inside].filter((inside) => inside.isBusy()).length;
    return busy < mostBusy ? undefined : `${busy} are under way that keep this machine busy`;
  }

  #promised(): number {
    return [...this.#inside].reduce((sum, { promisedBytes }) => sum + promisedBytes, 0);
  }
}

/** Somebody who was let in. */
class Inside {
  readonly #steadyNow: () => number;
  promisedBytes: number;
  #sinceMs: number;
  #moved = 0;
  #movedBefore = Number.POSITIVE_INFINITY;

  constructor(promisedBytes: number, steadyNow: () => number) {
    this.promisedBytes = promisedBytes;
    this.#steadyNow = steadyNow;
    this.#sinceMs = steadyNow();
  }

  note(bytes: number): void {
    this.promisedBytes = Math.max(0, this.promisedBytes - bytes);
    this.#turn();
    this.#moved += bytes;
  }

  isBusy(): boolean {
    this.#turn();
    return Math.max(this.#moved, this.#movedBefore) >= busyBytes;
  }

  /** Begins the next span when the latest is over. */
  #turn(): void {
    const nowMs = this.#steadyNow();
    if (nowMs - this.#sinceMs < spanMs) return;
    this.#movedBefore = nowMs - this.#sinceMs < 2 * spanMs ? this.#moved : 0;
    this.#moved = 0;
    this.#sinceMs = nowMs;
  }
}
