import { limits } from "@flare-ts/contracts";
import type { AuthEvent } from "../session/auth-event.js";

type Refusal = Extract<AuthEvent, { kind: "refused" }>;

/** Refusals of one kind that were counted and not told one by one. */
export interface UntoldRefusals {
  readonly step: Refusal["step"];
  readonly code: Refusal["code"];
  readonly count: number;
  /** When counting began; milliseconds since the epoch. */
  readonly sinceMs: number;
}

/**
 * Decides which refusals are told one by one. Anybody who reaches the port can be refused as often as he likes: so many in a minute from
 * one address and in all are told, what is beyond is counted.
 */
export class RefusalSampler {
  readonly #now: () => number;
  #sinceMs = 0;
  #told = 0;
  readonly #toldByAddress = new Map<string, number>();
  readonly #untold = new Map<string, { readonly refusal: Refusal; count: number }>();

  constructor(components: { readonly now: () => number }) {
    this.#now = components.now;
  }

  /** Whether a refusal is to be told; else it is counted. */
  isTold(refusal: Refusal): boolean {
    const host = hostOf(refusal.address);
    const toldOfHost = this.#toldByAddress.get(host) ?? 0;
    if (this.#told < limits.refusalsTold && toldOfHost < limits.refusalsToldOfAddress) {
      this.#told += 1;
      this.#toldByAddress.set(host, toldOfHost + 1);
      return true;
    }
    const kind = `${refusal.step} ${refusal.code}`;
    const counted = this.#untold.get(kind) ?? { refusal, count: 0 };
    counted.count += 1;
    this.#untold.set(kind, counted);
    return false;
  }

  /** Begins a new minute when the last one is over (or at once), and gives what was counted in it. */
  turn(isForced = false): readonly UntoldRefusals[] {
    const now = this.#now();
    if (!isForced && now - this.#sinceMs < minuteMs && now >= this.#sinceMs) return [];
    const sinceMs = this.#sinceMs;
    const untold = [...this.#untold.values()].map(({ refusal: { step, code }, count }) => ({ step, code, count, sinceMs }));
    this.#sinceMs = now;
    this.#told = 0;
    this.#toldByAddress.clear();
    this.#untold.clear();
    return untold;
  }
}

const minuteMs = 60_000;

/** Every connection has a port of its own. */
function hostOf(address: string): string {
  return address.slice(0, Math.max(0, address.lastIndexOf(":")));
}
