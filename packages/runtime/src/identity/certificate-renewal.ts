import { setTimeout as sleepReally } from "node:timers/promises";
import { FlareError, type Json } from "@flare-ts/contracts";
import { errorField, type Logger } from "../logging/logger.js";
import type { LiveIdentity } from "./live-identity.js";
import { type RenewalTimes, renewalRetryMs, renewalTimes } from "./renewal-times.js";

/** What came of asking once: the identity was replaced, or somebody has to sign the request first. */
export type RenewalOutcome = "renewed" | "pending";

export interface CertificateRenewalComponents {
  readonly identity: LiveIdentity;
  /** Asks for the next certificate, and puts it in force when it comes. */
  readonly ask: (signal: AbortSignal) => Promise<RenewalOutcome>;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly random: () => number;
  /** Waits; ends early, without an error, when the signal is aborted. @default the timers of Node */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Renews a participant's certificate at two thirds of its life for as long as its process runs: again and again until it
 * succeeds, with a warning in the log when little of the life is left.
 */
export class CertificateRenewal {
  readonly #parts: CertificateRenewalComponents;
  readonly #stop = new AbortController();
  #nudge = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  /** Whether somebody said that a new certificate can be had. */
  #isWanted = false;
  #warned: "nothing" | "first" | "last" | "end" = "nothing";
  /** Why the certificate in force is not renewed. */
  #cause: Json = null;

  constructor(components: CertificateRenewalComponents) {
    this.#parts = components;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Asks soon, whatever the age of the certificate: a new one can be had. */
  renewNow(): void {
    this.#isWanted = true;
    this.#nudge.abort();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#nudge.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { identity, now, random } = this.#parts;
    while (!this.#stop.signal.aborted) {
      const { certificate } = identity;
      const times = renewalTimes(certificate, random());
      this.#warned = "nothing";
      this.#cause = null;
      await this.#waitUntilDue(times);
      this.#isWanted = false;
      for (let attempt = 0; !this.#stop.signal.aborted && identity.certificate === certificate; attempt++) {
        if (await this.#askOnce(attempt)) break;
        this.#warn(times);
        const retryMs = renewalRetryMs(times.lifeMs, attempt, random());
        await this.#waitUntil(now() + retryMs, times, retryMs);
        this.#isWanted = false;
      }
    }
  }

  /** A certificate that begins in the future was issued by a clock that was ahead and has been set right: nobody takes it until then. */
  async #waitUntilDue(times: RenewalTimes): Promise<void> {
    const isEarly = (): boolean => this.#parts.now() < times.endMs - times.lifeMs;
    while (!this.#stop.signal.aborted && !this.#isWanted && !isEarly() && this.#parts.now() < times.dueMs) {
      await this.#waitUntil(times.dueMs, times, longestStepMs);
    }
    if (isEarly() && !this.#stop.signal.aborted)
      this.#parts.logger.warn("certificate is not valid yet: a clock was ahead when it was issued, or is behind now");
  }

  async #askOnce(attempt: number): Promise<boolean> {
    const { identity, ask, logger } = this.#parts;
    try {
      if ((await ask(this.#stop.signal)) === "renewed") {
        const { serialNumber, validTo } = identity.certificate;
        logger.info("certificate renewed", { serial: serialNumber, validTo: new Date(validTo).toISOString() });
        return true;
      }
      if (attempt === 0) logger.info("certificate renewal waits to be signed by the project's administrator");
      this.#cause = "the request waits to be signed by the project's administrator";
    } catch (reason) {
      if (this.#stop.signal.aborted) return false;
      const error = FlareError.from(reason);
      this.#cause = errorField(error);
      logger[attempt === 0 ? "warn" : "debug"]("certificate could not be renewed", { attempt, error: this.#cause });
    }
    return false;
  }

  // In short steps: a timer of Node takes 24 days at most and does not count the time that a machine sleeps. No longer than `mostMs` in
  // all: what is counted from a moment must not wait for the days by which the clock was ahead then.
  async #waitUntil(atMs: number, times: RenewalTimes, mostMs = Number.POSITIVE_INFINITY): Promise<void> {
    const { now, sleep = sleepOrStop } = this.#parts;
    let restMs = mostMs;
    while (!this.#stop.signal.aborted && !this.#isWanted) {
      const leftMs = Math.min(atMs - now(), restMs);
      if (leftMs <= 0) return;
      this.#nudge = new AbortController();
      const stepMs = Math.min(leftMs, this.#untilWarningMs(times));
      await sleep(stepMs, this.#nudge.signal);
      restMs -= stepMs;
      this.#warn(times);
    }
  }

  #untilWarningMs({ firstWarningMs, lastWarningMs, endMs }: RenewalTimes): number {
    const ahead = [firstWarningMs, lastWarningMs, endMs].map((atMs) => atMs - this.#parts.now()).filter((leftMs) => leftMs > 0);
    return Math.min(longestStepMs, ...ahead);
  }

  #warn({ firstWarningMs, lastWarningMs, endMs }: RenewalTimes): void {
    const { logger, now } = this.#parts;
    const nowMs = now();
    const due = nowMs >= endMs ? "end" : nowMs >= lastWarningMs ? "last" : nowMs >= firstWarningMs ? "first" : "nothing";
    if (due === "nothing" || due === this.#warned) return;
    this.#warned = due;
    const fields = { validTo: new Date(endMs).toISOString(), error: this.#cause };
    if (due === "first") logger.warn("certificate ends soon and is not renewed", fields);
    else if (due === "last") logger.error("certificate ends very soon and is not renewed", fields);
    else logger.error("certificate has ended and was not renewed", fields);
  }
}

const longestStepMs = 60_000;

async function sleepOrStop(ms: number, signal: AbortSignal): Promise<void> {
  await sleepReally(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
