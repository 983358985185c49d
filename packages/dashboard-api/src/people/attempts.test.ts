import { expect, it } from "vitest";
import { signIn } from "../contract/session.js";
import { describeOnEachDatabase, startTestDashboard } from "../test-dashboard.test-support.js";

const password = "correct horse battery";

describeOnEachDatabase("failed sign-ins", (kind) => {
  it("make an account wait, longer each time, even with the right password, and are forgotten after success", async () => {
    const { clock, person, stranger } = await startTestDashboard(kind);
    await person({ email: "a@example.org", password });
    const tryIt = (word: string): Promise<unknown> => stranger().call(signIn, { body: { email: "a@example.org", password: word } });
    const outcome = (word: string): Promise<{ code: string; retryAfterMs?: number }> =>
      tryIt(word).then(
        () => ({ code: "in" }),
        (reason: { code: string; retryAfterMs?: number }) => reason,
      );
    for (let i = 0; i < 5; i++) expect(await outcome("wrong")).toMatchObject({ code: "dashboard/wrong-credentials" });
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      const { code, retryAfterMs = 0 } = await outcome(password);
      expect(code).toBe("dashboard/too-many-attempts");
      waits.push(retryAfterMs);
      clock.advance(retryAfterMs);
      expect(await outcome("wrong")).toMatchObject({ code: "dashboard/wrong-credentials" });
    }
    clock.advance(15 * 60_000);
    expect(waits).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 900].map((seconds) => seconds * 1000));
    await expect(tryIt(password)).resolves.toMatchObject({ state: "signed-in" });
    await expect(tryIt("wrong")).rejects.toMatchObject({ code: "dashboard/wrong-credentials" });
    await expect(tryIt(password)).resolves.toMatchObject({ state: "signed-in" });
  });

  it("make an unknown address wait in the same way", async () => {
    const { stranger } = await startTestDashboard(kind);
    const codes: unknown[] = [];
    for (let i = 0; i < 6; i++) {
      codes.push(
        await stranger()
          .call(signIn, { body: { email: "nobody@example.org", password } })
          .catch((reason: { code: string }) => reason.code),
      );
    }
    expect(codes).toEqual([...Array.from({ length: 5 }, () => "dashboard/wrong-credentials"), "dashboard/too-many-attempts"]);
  });

  it("count in a burst: a hundred at the same moment get no more tries than one after another", async () => {
    const { person, stranger } = await startTestDashboard(kind, { rateLimits: { openChangesPerMinute: 1000 } });
    await person({ email: "a@example.org", password });
    const tries = Array.from({ length: 100 }, () =>
      stranger()
        .call(signIn, { body: { email: "a@example.org", password: "wrong" } })
        .catch((reason: { code: string }) => reason.code),
    );
    const codes = await Promise.all(tries);
    expect(codes.filter((code) => code === "dashboard/wrong-credentials")).toHaveLength(5);
  });

  it("make a network address wait that tries many accounts", async () => {
    const { stranger } = await startTestDashboard(kind, { rateLimits: { openChangesPerMinute: 1000 } });
    const codes: unknown[] = [];
    for (let i = 0; i < 31; i++) {
      codes.push(
        await stranger()
          .call(signIn, { body: { email: `n${i}@example.org`, password } })
          .catch((reason: { code: string }) => reason.code),
      );
    }
    expect(codes.slice(0, 30).every((code) => code === "dashboard/wrong-credentials")).toBe(true);
    expect(codes[30]).toBe("dashboard/too-many-attempts");
  });
});
