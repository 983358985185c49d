import { byteSizeText } from "@flare-ts/contracts";
import { errorField, type Logger } from "../logging/logger.js";
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
  /**
   * So many bytes were moved: those on the disk are not promised any more, and whoever moves few does not keep others out, unless the bytes
   * had to wait for this machine, which then holds them in memory.
   */
  note(bytes: number, hadToWait?: boolean): void;
  leave(): void;
}

export interface AdmissionComponents {
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds that only go forward. */
  readonly steadyNow: () => number;
  readonly disk?: DiskBudget | undefined;
  /** Whether the thread that moves the bytes has hardly a moment to spare. @default never */
  readonly isThreadBusy?: (() => boolean) | undefined;
}

export interface AdmissionInit {
  /** How many may be in at once. */
  readonly most: number;
  /** What sets that, for messages, such as `--max-memory 512 MiB`. */
  readonly setBy: string;
  /** How many may be in at once of those that move bytes fast, or that keep the thread busy together; more would only share it. @default as many as `most` */
  readonly mostBusy?: number | undefined;
}

interface Entry extends AdmissionRequest {
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  /** The same moment in milliseconds that only go forward. */
  readonly askedMs: number;
  /** How many of the same participant were in or waited before it. */
  readonly turn: number;
  readonly onWait: ((reason: string) => void) | undefined;
  readonly admit: (admitted: Admitted) => void;
  reason: string;
  /** Whether the log says that it waits. */
  isLogged: boolean;
}

/** Whoever has moved so many bytes in the latest span is busy, and so is whoever came in during it. */
const busyBytes = 4 * 2 ** 20;
const spanMs = 250;
/** For so long after its latest bytes had to wait for this machine somebody is busy, however few they were; or while it has moved none yet. */
const heldMs = 8 * spanMs;

/** To take turns at a busy machine is no matter for the log; to wait for longer than this is. */
const logAfterMs = 1_000;

/** So often it is looked in one pass whether what is smaller has room on the disk. */
const mostDiskLooks = 8;

/**
 * Lets requests in as memory and disk allow, in the order in which they were made, but for those who ask for much at once: everybody's first
 * comes before anybody's second. What waits says why. A request that waits for the disk lets those pass that write less, or nothing: they may
 * be what makes room, and what was only announced keeps nobody out.
 */
export class Admission {
  readonly #parts: AdmissionComponents;
  readonly #init: AdmissionInit;
  readonly #waiting: Entry[] = [];
  readonly #inside = new Set<Inside>();
  #isLooking = false;
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
        askedMs: this.#parts.steadyNow(),
        turn: this.#countOf(request.who),
        onWait,
        reason: "",
        isLogged: false,
        admit: (admitted) => {
          signal?.removeEventListener("abort", leave);
          resolve(admitted);
        },
      };
      signal?.addEventListener("abort", leave, { once: true });
      const behind = this.#waiting.findIndex(({ turn }) => turn > entry.turn);
      this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, entry);
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
    if (!this.#isLooking) void this.#lookWhileDue();
  }

  async #lookWhileDue(): Promise<void> {
    this.#isLooking = true;
    while (this.#isLookDue) {
      this.#isLookDue = false;
      await this.#pass().catch((error: unknown) => this.#parts.logger.error("room could not be looked for", { error: errorField(error) }));
    }
    this.#isLooking = false;
    // Room also comes without a word: a disk is cleared, a fast sender becomes slow.
    clearTimeout(this.#timer);
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#look(), spanMs).unref();
  }

  async #pass(): Promise<void> {
    let short: { readonly bytes: number; readonly reason: string } | undefined;
    let looks = 0;
    // Whoever is let in leaves the list meanwhile.
    for (const entry of this.#waiting.slice()) {
      const { diskBytes } = entry;
      const crowd = this.#crowded();
      let reason = crowd;
      if (crowd === undefined && diskBytes > 0) {
        if (short === undefined || (diskBytes < short.bytes && looks < mostDiskLooks)) {
          looks += 1;
          reason = await this.#parts.disk?.shortage(diskBytes, this.#promised());
          if (reason !== undefined) short = { bytes: diskBytes, reason };
        } else ({ reason } = short);
      }
      // It may have given up meanwhile.
      if (!this.#waiting.includes(entry)) continue;
      if (reason === undefined) this.#admit(entry);
      else this.#tell(entry, reason);
    }
  }

  #admit(entry: Entry): void {
    this.#waiting.splice(this.#waiting.indexOf(entry), 1);
    if (entry.isLogged) {
      const { who, what, askedMs } = entry;
      this.#parts.logger.info("goes on after waiting", { who, what, waitedMs: Math.round(this.#parts.steadyNow() - askedMs) });
    }
    const inside = new Inside(entry, this.#parts.steadyNow);
    this.#inside.add(inside);
    entry.admit({
      note: (bytes, hadToWait = false) => inside.note(bytes, hadToWait),
      leave: () => {
        if (this.#inside.delete(inside) && this.#waiting.length > 0) this.#look();
      },
    });
  }

  #tell(entry: Entry, reason: string): void {
    const { who, what, diskBytes, askedMs } = entry;
    if (entry.reason !== reason) {
      entry.reason = reason;
      entry.onWait?.(reason);
    }
    // Once for each wait: figures in the reason change all the time.
    if (entry.isLogged || this.#parts.steadyNow() - askedMs < logAfterMs) return;
    entry.isLogged = true;
    const size = diskBytes > 0 ? { size: byteSizeText(diskBytes) } : {};
    this.#parts.logger.warn("waits for room", { who, what, ...size, reason });
  }

  #crowded(): string | undefined {
    const { most, mostBusy = most, setBy } = this.#init;
    const { size } = this.#inside;
    if (size >= most) return `${size} are under way, as many as ${setBy} lets in`;
    if (size < mostBusy) return undefined;
    const insiders = [...this.#inside].map((inside) => ({ pace: inside.pace(), isHeldUp: inside.isHeldUp() }));
    const busy = insiders.filter(({ pace, isHeldUp }) => isHeldUp || pace >= busyBytes).length;
    if (busy >= mostBusy) return `${busy} are under way that keep this machine busy`;
    // Many that are slow may be so because they are many.
    const together = insiders.reduce((sum, { pace }) => sum + pace, 0);
    const isSlowedDown = together >= busyBytes && this.#parts.isThreadBusy?.() === true;
    return isSlowedDown ? `${size} are under way that keep this machine busy together` : undefined;
  }

  #countOf(who: string): number {
    const isTheirs = (one: { readonly who: string }): boolean => one.who === who;
    return this.#waiting.filter(isTheirs).length + [...this.#inside].filter(isTheirs).length;
  }

  #promised(): number {
    return [...this.#inside].reduce((sum, { promisedBytes }) => sum + promisedBytes, 0);
  }
}

/** Somebody who was let in. */
class Inside {
  readonly #steadyNow: () => number;
  readonly who: string;
  promisedBytes: number;
  #sinceMs: number;
  #moved = 0;
  #movedBefore = Number.POSITIVE_INFINITY;
  #heldUntilMs: number;

  constructor({ who, diskBytes }: AdmissionRequest, steadyNow: () => number) {
    this.who = who;
    this.promisedBytes = diskBytes;
    this.#steadyNow = steadyNow;
    this.#sinceMs = steadyNow();
    this.#heldUntilMs = this.#sinceMs + heldMs;
  }

  note(bytes: number, hadToWait: boolean): void {
    this.#heldUntilMs = hadToWait ? this.#steadyNow() + heldMs : 0;
    this.promisedBytes = Math.max(0, this.promisedBytes - bytes);
    this.#turn();
    this.#moved += bytes;
  }

  /** Bytes moved in the latest span; no bound for whoever came in during it. */
  pace(): number {
    this.#turn();
    return Math.max(this.#moved, this.#movedBefore);
  }

  /** Whether its latest bytes had to wait for this machine; who stands still is no such one for long. */
  isHeldUp(): boolean {
    return this.#steadyNow() < this.#heldUntilMs;
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
