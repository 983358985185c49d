import type { ContentHash } from "@flare-ts/contracts";
import type { SiteResult, SiteStore } from "@flare-ts/runtime/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

/** An implementation of `SiteStore` under test. */
export interface SiteStoreSubject {
  /** Opens the store; called again after `close`, it must find what was there. */
  open(): Promise<SiteStore>;
  /** Removes everything that was stored. */
  dispose(): Promise<void>;
}

/** What every `SiteStore` promises. `create` makes an empty store for each test. */
export function siteStoreCompliance(name: string, create: () => Promise<SiteStoreSubject>): void {
  describe(`${name} as a SiteStore`, () => {
    let subject: SiteStoreSubject;
    let store: SiteStore;

    beforeEach(async () => {
      subject = await create();
      store = await subject.open();
    });

    afterEach(async () => {
      await store.close();
      await subject.dispose();
    });

    const reopen = async (): Promise<void> => {
      await store.close();
      store = await subject.open();
    };

    it("keeps results until they are acknowledged, oldest first, also over a restart", async () => {
      await store.addResult(result("j2", 0));
      await store.addResult(result("j1", 1));
      await store.addResult(result("j1", 0));
      await reopen();
      expect(await store.pendingResults()).toEqual([result("j2", 0), result("j1", 1), result("j1", 0)]);
      await store.acknowledge(result("j1", 1));
      await reopen();
      expect(await store.pendingResults()).toEqual([result("j2", 0), result("j1", 0)]);
      expect(await store.result(result("j1", 1))).toEqual(result("j1", 1));
    });

    it("adds up what a scope's updates cost, once for each task, over restarts and past the end of the job", async () => {
      const cost = { rho: 2, epsilon: 0 };
      const spend = (jobId: string, round: number, scope: string, most = 10): Promise<boolean> =>
        store.spendPrivacy({ jobId, round, task: "train" }, { scope, cost, allows: ({ rho }) => rho <= most });
      const spent = (rho: number) => ({ rho, epsilon: 0, squares: 0 });
      expect(await store.privacySpent("private")).toEqual(spent(0));
      expect([await spend("j1", 0, "private"), await spend("j1", 0, "private"), await spend("j1", 1, "other")]).toEqual([true, true, true]);
      await reopen();
      expect([await store.privacySpent("private"), await store.privacySpent("other")]).toEqual([spent(2), spent(2)]);
      await store.endJob("j1");
      expect(await spend("j2", 0, "private", 3)).toBe(false);
      expect(await spend("j2", 0, "private", 4)).toBe(true);
      expect(await store.privacySpent("private")).toEqual(spent(4));
    });

    it("adds up costs of either noise on their own, and the squares of the pure ones", async () => {
      const seen: unknown[] = [];
      const spend = (round: number, cost: { readonly rho: number; readonly epsilon: number }): Promise<boolean> =>
        store.spendPrivacy(
          { jobId: "j1", round, task: "train" },
          { scope: "private", cost, allows: (together) => seen.push(together) > 0 },
        );
      await spend(0, { rho: 0.5, epsilon: 0 });
      await spend(1, { rho: 0, epsilon: 2 });
      await spend(2, { rho: 0, epsilon: 3 });
      await reopen();
      await spend(2, { rho: 0, epsilon: 4 });
      expect(seen).toEqual([
        { rho: 0.5, epsilon: 0, squares: 0 },
        { rho: 0.5, epsilon: 2, squares: 4 },
        { rho: 0.5, epsilon: 5, squares: 13 },
        { rho: 0.5, epsilon: 6, squares: 20 },
      ]);
      expect(await store.privacySpent("private")).toEqual({ rho: 0.5, epsilon: 6, squares: 20 });
    });

    it("lets out of a round whose updates are masked what is no second sum of it, over restarts", async () => {
      const [a, b] = ["a", "b"].map((digit) => digit.repeat(64) as ContentHash) as [ContentHash, ContentHash];
      const clear = { jobId: "j1", round: 3, task: "train", clear: ref(1), weight: 2, metrics: { loss: 1 }, base: ref(2) };
      const masked = (attempt: number, hash = a) => store.advanceRound(clear, { to: "masked", attempt, roster: b, masked: hash });
      const confirmed = (attempt: number, statement: string) => store.advanceRound(clear, { to: "confirmed", attempt, statement });
      const revealed = (attempt: number, statement: string) => store.advanceRound(clear, { to: "revealed", attempt, statement });
      expect(await masked(0)).toBe(false);
      expect(await store.keepClear(clear)).toMatchObject({ ...clear, attempt: -1, isRevealed: false });
      expect(await store.keepClear({ ...clear, weight: 9 })).toMatchObject({ weight: 2 });
      expect([await masked(0), await masked(0), await masked(0, b)]).toEqual([true, true, false]);
      expect([await revealed(0, "s"), await confirmed(0, "s"), await confirmed(0, "s"), await confirmed(0, "t")]).toEqual([
        false,
        true,
        true,
        false,
      ]);
      expect([await masked(1), await confirmed(0, "s"), await revealed(0, "s"), await masked(0)]).toEqual([true, false, false, false]);
      await reopen();
      expect([await confirmed(1, "u"), await revealed(1, "t"), await revealed(1, "u"), await revealed(1, "u")]).toEqual([
        true,
        false,
        true,
        true,
      ]);
      expect([await masked(2), await confirmed(1, "v"), await masked(1)]).toEqual([false, false, true]);
      expect(await store.secureRounds()).toMatchObject([{ jobId: "j1", round: 3, attempt: 1, isRevealed: true, statement: "u" }]);
      await store.endJob("j1");
      expect(await store.secureRound("j1", 3)).toBeUndefined();
      expect(await store.keepClear(clear)).toBeUndefined();
    });

    it("makes a secret of a job once, and forgets it with the job", async () => {
      const [one, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
      expect(await store.maskSecret("j1", () => one)).toEqual(one);
      await reopen();
      expect(await store.maskSecret("j1", () => other)).toEqual(one);
      expect(await store.maskSecret("j2", () => other)).toEqual(other);
      await store.endJob("j1");
      expect(await store.maskSecret("j1", () => other)).toBeUndefined();
    });

    it("adds up what left and not what was to leave before the site's policy was another one", async () => {
      const spend = (scope: string, rho: number, most = 10): Promise<boolean> =>
        store.spendPrivacy(
          { jobId: "j1", round: 0, task: "train" },
          { scope, cost: { rho, epsilon: 0 }, allows: (together) => together.rho <= most },
        );
      const spent = async (): Promise<number[]> =>
        (await Promise.all(["private", "other"].map((scope) => store.privacySpent(scope)))).map(({ rho }) => rho);
      await spend("private", 2);
      // The site was killed before the result was kept, and has another policy now.
      expect([await spend("private", 5, 4), await spend("private", 5)]).toEqual([false, true]);
      expect(await spent()).toEqual([5, 0]);
      await spend("other", 3);
      expect(await spent()).toEqual([0, 3]);
      await store.addResult(result("j1", 0));
      expect(await spend("private", 1)).toBe(true);
      await store.endJob("j1");
      expect(await spend("private", 1)).toBe(true);
      expect(await spent()).toEqual([0, 3]);
    });

    it("knows the model of a job's last result, also over a restart, until the job is over", async () => {
      const base = (digit: string): { readonly hash: ContentHash; readonly size: number } => ({
        hash: digit.repeat(64) as ContentHash,
        size: 5_000_000_000,
      });
      await store.addResult({ ...result("j1", 0), base: base("1") });
      await store.addResult({ ...result("j2", 0), base: base("3") });
      await store.addResult({ ...result("j1", 1), base: base("2") });
      await store.acknowledge(result("j1", 1));
      await reopen();
      expect(await store.lastBase("j1")).toEqual(base("2"));
      expect(await store.lastBase("j3")).toBeUndefined();
      expect(await store.result(result("j1", 0))).toEqual({ ...result("j1", 0), base: base("1") });
      await store.endJob("j1");
      expect(await store.lastBase("j1")).toBeUndefined();
    });

    it("keeps the bytes of a small result until it is acknowledged, also over a restart", async () => {
      const bytes = Uint8Array.from({ length: 65_536 }, (_, i) => i % 251);
      await store.addResult({ ...result("j1", 0), bytes });
      await store.addResult({ ...result("j1", 1), bytes: new Uint8Array() });
      await reopen();
      expect(await store.pendingResults()).toEqual([
        { ...result("j1", 0), bytes },
        { ...result("j1", 1), bytes: new Uint8Array() },
      ]);
      await store.acknowledge(result("j1", 0));
      await reopen();
      expect(await store.result(result("j1", 0))).toEqual(result("j1", 0));
      expect(await store.pendingResults()).toHaveLength(1);
    });

    it("keeps the first of two results for a task, acknowledged or not", async () => {
      await store.addResult(result("j1", 0));
      expect(await store.addResult({ ...result("j1", 0), weight: 9 })).toEqual(result("j1", 0));
      await store.acknowledge(result("j1", 0));
      expect(await store.addResult({ ...result("j1", 0), weight: 9 })).toEqual(result("j1", 0));
      expect(await store.pendingResults()).toEqual([]);
    });

    it("forgets the results of a job that is over, and remembers that it is", async () => {
      await store.addResult(result("j1", 0));
      await store.addResult(result("j2", 0));
      expect(await store.hasEnded("j1")).toBe(false);
      await store.endJob("j1");
      await store.endJob("j1");
      await reopen();
      expect(await store.hasEnded("j1")).toBe(true);
      expect(await store.hasEnded("j2")).toBe(false);
      expect(await store.pendingResults()).toEqual([result("j2", 0)]);
      expect(await store.result(result("j1", 0))).toBeUndefined();
    });

    it("does not keep a result that comes after the end of its job", async () => {
      await store.endJob("j1");
      expect(await store.addResult(result("j1", 0))).toBeUndefined();
      expect(await store.pendingResults()).toEqual([]);
    });

    it("takes the acknowledgement of an unknown result as nothing", async () => {
      await store.acknowledge(result("j1", 0));
      expect(await store.result(result("j1", 0))).toBeUndefined();
    });

    it("gives back every field, numbers exactly", async () => {
      const full: SiteResult = {
        ...result("j1", 0),
        paramsType: "DIFF",
        weight: 0.1 + 0.2,
        metrics: { loss: 5e-324, accuracy: 1 },
        meta: { text: "ä\u0000😀", nested: { list: [1, null] } },
      };
      await store.addResult(full);
      expect(await store.result(full)).toEqual(full);
    });
  });
}

function result(jobId: string, round: number): SiteResult {
  const update = { hash: "e".repeat(64) as ContentHash, size: 2 ** 40 };
  return { jobId, round, task: "train", update, paramsType: "FULL", weight: 100, metrics: {}, meta: {} };
}

function ref(number: number): SiteResult["update"] {
  return { hash: String(number).repeat(64) as ContentHash, size: number };
}
