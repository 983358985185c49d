import { FlareError } from "@flare-ts/contracts";
import { describe, expect, it } from "vitest";
import type { Logger } from "../logging/logger.js";
import { TestProject } from "../session/test-project.test-support.js";
import { CertificateRenewal, type RenewalOutcome } from "./certificate-renewal.js";
import { LiveIdentity } from "./live-identity.js";
import { renewalRetryMs, renewalTimes } from "./renewal-times.js";

const project = new TestProject("p");
const beginMs = Date.parse("2030-01-01T00:00:00Z");
const minute = 60_000;

const issue = (fromMs: number, lifeMs: number) =>
  project.issue({ name: "site-1", validFrom: new Date(fromMs), validTo: new Date(fromMs + lifeMs) });

/** Runs a renewal under a clock that jumps from one wait to the next, until `untilMs`. */
async function run(
  lifeMs: number,
  untilMs: number,
  ask: (nowMs: number, identity: LiveIdentity) => RenewalOutcome,
  { aheadMs = 0 }: { /** The clock is so much ahead until the first attempt. */ readonly aheadMs?: number } = {},
): Promise<Run> {
  let nowMs = beginMs + aheadMs;
  const identity = new LiveIdentity({ keys: issue(beginMs, lifeMs) });
  const asked: number[] = [];
  const lines: string[] = [];
  const waits: number[] = [];
  const ahead = [aheadMs];
  const log = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const logger: Logger = { error: log("error"), warn: log("warn"), info: log("info"), debug: () => undefined, child: () => logger };
  const over = Promise.withResolvers<void>();
  const renewal = new CertificateRenewal({
    identity,
    logger,
    now: () => nowMs,
    random: () => 0.5,
    ask: () => {
      asked.push(nowMs - beginMs);
      return Promise.resolve().then(() => ask(nowMs, identity));
    },
    sleep: (ms, signal) => {
      waits.push(ms);
      nowMs += ms;
      if (asked.length === 1) nowMs -= ahead.splice(0)[0] ?? 0;
      if (nowMs - beginMs < untilMs) return Promise.resolve();
      over.resolve();
      return new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve());
      });
    },
  });
  renewal.start();
  await over.promise;
  await renewal.stop();
  return { asked, lines, waits };
}

interface Run {
  readonly asked: readonly number[];
  readonly lines: readonly string[];
  readonly waits: readonly number[];
}

describe("the renewal of a certificate", () => {
  it.each([6_000, 5 * minute, 24 * 60 * minute])("asks at two thirds of a life of %i ms, and then of the next", async (lifeMs) => {
    const { asked, lines, waits } = await run(lifeMs, lifeMs * 2.2, (nowMs, identity) => {
      identity.replace(issue(nowMs, lifeMs));
      return "renewed";
    });
    for (const [i, atMs] of asked.entries()) expect(Math.abs(atMs - (lifeMs * 2 * (i + 1)) / 3)).toBeLessThanOrEqual(2_000);
    expect(asked.length).toBe(3);
    expect(lines).toEqual(["info certificate renewed", "info certificate renewed", "info certificate renewed"]);
    expect(Math.max(...waits)).toBeLessThanOrEqual(minute);
  });

  it("asks again and again when it fails, warns when a sixth and a twelfth are left, and goes on after the end", async () => {
    const lifeMs = 60 * minute;
    const { asked, lines } = await run(lifeMs, lifeMs * 1.1, () => {
      throw new FlareError("transfer/unreachable", "nobody there");
    });
    expect(lines).toEqual([
      "warn certificate could not be renewed",
      "warn certificate ends soon and is not renewed",
      "error certificate ends very soon and is not renewed",
      "error certificate has ended and was not renewed",
    ]);
    expect(asked.filter((atMs) => atMs < lifeMs).length).toBeGreaterThan(12);
    expect(asked.some((atMs) => atMs > lifeMs)).toBe(true);
  });

  it("asks again soon when its first attempt was made by a clock that was ahead and has been set right", async () => {
    const lifeMs = 90 * 24 * 60 * minute;
    const unreachable = (): never => {
      throw new FlareError("transfer/unreachable", "nobody there");
    };
    const { asked } = await run(lifeMs, lifeMs * 1.1, unreachable, { aheadMs: lifeMs });
    expect(asked[0]).toBe(lifeMs);
    expect(asked[1]).toBeLessThan(6 * 60 * minute);
  });

  it("asks for another at once when the one it got is not valid yet, as the clock was ahead and has been set right", async () => {
    const lifeMs = 90 * 24 * 60 * minute;
    const validAt: boolean[] = [];
    const { asked, lines } = await run(
      lifeMs,
      lifeMs / 10,
      (nowMs, identity) => {
        // As a server does that starts with such a clock: by its own certificate, which is good for a while before.
        identity.replace(issue(nowMs - 5 * minute, lifeMs));
        validAt.push(nowMs < beginMs + lifeMs / 10);
        return "renewed";
      },
      { aheadMs: lifeMs },
    );
    expect(asked[0]).toBe(lifeMs);
    expect(asked[1]).toBeLessThanOrEqual(minute);
    expect(asked.length).toBe(2);
    expect(validAt).toEqual([false, true]);
    expect(lines).toContain("warn certificate is not valid yet: a clock was ahead when it was issued, or is behind now");
  });

  it("asks again while somebody has to sign, and says so once", async () => {
    const { asked, lines } = await run(60 * minute, 45 * minute, (nowMs, identity) => {
      if (nowMs - beginMs < 43 * minute) return "pending";
      identity.replace(issue(nowMs, 60 * minute));
      return "renewed";
    });
    expect(asked.length).toBeGreaterThan(3);
    expect(lines).toEqual(["info certificate renewal waits to be signed by the project's administrator", "info certificate renewed"]);
  });
});

describe("the times of a renewal", () => {
  it("lie around two thirds of the life, and waits between tries grow with it", () => {
    const { certificate } = issue(beginMs, 300_000);
    for (const random of [0, 0.25, 0.5, 0.999]) {
      const { dueMs, lifeMs } = renewalTimes(certificate, random);
      expect((dueMs - beginMs) / lifeMs).toBeGreaterThanOrEqual(0.616);
      expect((dueMs - beginMs) / lifeMs).toBeLessThanOrEqual(0.717);
    }
    for (let attempt = 0; attempt < 40; attempt++) {
      expect(renewalRetryMs(6_000, attempt, 0.9)).toBeLessThanOrEqual(400);
      expect(renewalRetryMs(6_000, attempt, 0)).toBeGreaterThanOrEqual(200);
      expect(renewalRetryMs(365 * 24 * 60 * minute, attempt, 1)).toBeLessThanOrEqual(60 * minute);
    }
  });
});
