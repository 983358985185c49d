import { expect, it } from "vitest";
import { changePassword } from "../contract/me.js";
import { signIn } from "../contract/session.js";
import {
  cookieFetch,
  type DatabaseKind,
  describeOnAnyDatabase,
  describeOnEachDatabase,
  startTestDashboard,
  type TestDashboard,
  type TestStranger,
} from "../test-dashboard.test-support.js";

const password = "correct horse battery";
const email = "a@example.org";
const minute = 60_000;

interface Outcome {
  readonly code: string;
  readonly retryAfterMs?: number | undefined;
}

/** A browser behind a proxy that says its address. */
class Browser {
  readonly #url: string;
  readonly #address: string;
  readonly #fetch = cookieFetch();

  #csrfToken = "";

  constructor({ listensAt }: TestDashboard, address: string) {
    this.#url = listensAt;
    this.#address = address;
  }

  async signIn(word: string, who = email): Promise<Outcome> {
    const answer = await this.#fetch(`${this.#url}/api/v1/session`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-forwarded-for": this.#address, "x-csrf-token": this.#csrfToken },
      body: JSON.stringify({ email: who, password: word }),
    });
    this.#csrfToken = answer.headers.get("x-csrf-token") ?? "";
    const { error } = (await answer.json()) as { error?: Outcome };
    return error === undefined ? { code: "in" } : { code: error.code, retryAfterMs: error.retryAfterMs };
  }
}

/** Nobody is refused for asking often, only for failing. */
const rateLimits = { openChangesPerMinute: 100_000, requestsPerMinute: 100_000 } as const;

const startDirect = (kind: DatabaseKind): Promise<TestDashboard> => startTestDashboard(kind, { rateLimits });

/** What a try to sign in is refused with. */
const codeOf = (who: TestStranger, address: string, word: string): Promise<unknown> =>
  who.call(signIn, { body: { email: address, password: word } }).catch((reason: { code: string }) => reason.code);

const startBehindProxy = async (kind: DatabaseKind): Promise<TestDashboard> => {
  const dashboard = await startTestDashboard(kind, {
    security: { kind: "proxy", trustedProxies: ["127.0.0.1"] },
    publicUrl: "https://flare.example.org",
    rateLimits,
  });
  await dashboard.person({ email, password });
  return dashboard;
};

describeOnEachDatabase("failed sign-ins", (kind) => {
  it("make an account wait, longer each time, even with the right password, and are forgotten after success", async () => {
    const { clock, person, stranger } = await startDirect(kind);
    await person({ email, password });
    const outcome = (word: string): Promise<Outcome> =>
      stranger()
        .call(signIn, { body: { email, password: word } })
        .then(
          () => ({ code: "in" }),
          (reason: Outcome) => reason,
        );
    for (let i = 0; i < 5; i++) expect(await outcome("wrong")).toMatchObject({ code: "dashboard/wrong-credentials" });
    const waits: number[] = [];
    for (let i = 0; i < 13; i++) {
      const { code, retryAfterMs = 0 } = await outcome(password);
      expect(code).toBe("dashboard/too-many-attempts");
      waits.push(retryAfterMs);
      clock.advance(retryAfterMs);
      expect(await outcome("wrong")).toMatchObject({ code: "dashboard/wrong-credentials" });
    }
    clock.advance(60 * minute);
    expect(waits).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600].map((seconds) => seconds * 1000));
    expect(await outcome(password)).toEqual({ code: "in" });
    expect(await outcome("wrong")).toMatchObject({ code: "dashboard/wrong-credentials" });
    expect(await outcome(password)).toEqual({ code: "in" });
  });

  it("count in a burst: a hundred at the same moment get no more tries than one after another", async () => {
    const { person, stranger } = await startDirect(kind);
    await person({ email, password });
    const tries = Array.from({ length: 100 }, () => codeOf(stranger(), email, "wrong"));
    const codes = await Promise.all(tries);
    expect(codes.filter((code) => code === "dashboard/wrong-credentials")).toHaveLength(5);
  });

  it("make a network address wait that tries many accounts", async () => {
    const { stranger } = await startDirect(kind);
    const codes: unknown[] = [];
    for (let i = 0; i < 31; i++) {
      codes.push(await codeOf(stranger(), `n${i}@example.org`, password));
    }
    expect(codes.slice(0, 30).every((code) => code === "dashboard/wrong-credentials")).toBe(true);
    expect(codes[30]).toBe("dashboard/too-many-attempts");
  });
});

describeOnAnyDatabase("failed sign-ins", (kind) => {
  it("make an unknown address wait in the same way", async () => {
    const { stranger } = await startDirect(kind);
    const codes: unknown[] = [];
    for (let i = 0; i < 6; i++) {
      codes.push(await codeOf(stranger(), "nobody@example.org", password));
    }
    expect(codes).toEqual([...Array.from({ length: 5 }, () => "dashboard/wrong-credentials"), "dashboard/too-many-attempts"]);
  });

  it("of a session's own password wait by themselves: a stranger's do not count", async () => {
    const { person, stranger } = await startDirect(kind);
    const somebody = await person({ email, password });
    for (let i = 0; i < 6; i++) {
      await expect(stranger().call(signIn, { body: { email, password: "wrong" } })).rejects.toMatchObject({ status: i < 5 ? 401 : 429 });
    }
    const body = { currentPassword: password, newPassword: `${password} staple` };
    await somebody.call(changePassword, { body });
  });
});

describeOnEachDatabase("failed sign-ins of a stranger", (kind) => {
  it("remembers several people in one browser, for half a year", async () => {
    const dashboard = await startBehindProxy(kind);
    const shared = new Browser(dashboard, "192.0.2.1");
    const people = ["b@example.org", "c@example.org", "d@example.org", "e@example.org"];
    for (const one of people) await dashboard.person({ email: one, password });
    for (const one of [email, ...people]) expect(await shared.signIn(password, one)).toEqual({ code: "in" });
    const lock = async (): Promise<void> => {
      for (let i = 0; i < 6; i++) await new Browser(dashboard, "192.0.2.1").signIn("wrong");
    };
    await lock();
    expect(await shared.signIn(password)).toEqual({ code: "in" });
    dashboard.clock.advance(180 * 24 * 60 * minute);
    await lock();
    expect(await shared.signIn(password)).toMatchObject({ code: "dashboard/too-many-attempts" });
  });
});

describeOnAnyDatabase("failed sign-ins of a stranger", (kind) => {
  it("from one address keep nobody out elsewhere, for as long as they go on", async () => {
    const dashboard = await startBehindProxy(kind);
    const stranger = new Browser(dashboard, "192.0.2.1");
    let tries = 0;
    for (let passed = 0; passed < 3 * 24 * 60 * minute; ) {
      const { code, retryAfterMs = 0 } = await stranger.signIn("wrong");
      if (code === "dashboard/wrong-credentials") tries += 1;
      passed += retryAfterMs;
      dashboard.clock.advance(retryAfterMs);
    }
    expect(tries).toBeGreaterThan(70);
    expect(tries).toBeLessThan(100);
    expect(await new Browser(dashboard, "192.0.2.2").signIn(password)).toEqual({ code: "in" });
  });

  it("from many addresses keep new browsers out, and none in which the account's holder has signed in before", async () => {
    const dashboard = await startBehindProxy(kind);
    const own = new Browser(dashboard, "192.0.2.7");
    expect(await own.signIn(password)).toEqual({ code: "in" });
    const codes = new Set<string>();
    for (let i = 0; i < 110; i++) codes.add((await new Browser(dashboard, `198.51.100.${i}`).signIn("wrong")).code);
    expect(codes).toEqual(new Set(["dashboard/wrong-credentials", "dashboard/too-many-attempts"]));
    expect(await new Browser(dashboard, "192.0.2.8").signIn(password)).toMatchObject({ code: "dashboard/too-many-attempts" });
    expect(await own.signIn(password)).toEqual({ code: "in" });
    // Its own mistakes make it wait, and it is known for this account alone.
    for (let i = 0; i < 5; i++) expect(await own.signIn("wrong")).toMatchObject({ code: "dashboard/wrong-credentials" });
    expect(await own.signIn(password)).toMatchObject({ code: "dashboard/too-many-attempts", retryAfterMs: 2000 });
    dashboard.clock.advance(2000);
    expect(await own.signIn(password)).toEqual({ code: "in" });
    const other = "b@example.org";
    await dashboard.person({ email: other, password });
    for (let i = 0; i < 5; i++) expect(await own.signIn("wrong", other)).toMatchObject({ code: "dashboard/wrong-credentials" });
    expect(await own.signIn(password, other)).toMatchObject({ code: "dashboard/too-many-attempts" });
  });

  it("in a hospital that has one address keep nobody out who has signed in there before", async () => {
    const dashboard = await startBehindProxy(kind);
    const own = new Browser(dashboard, "192.0.2.1");
    expect(await own.signIn(password)).toEqual({ code: "in" });
    for (let i = 0; i < 31; i++) await new Browser(dashboard, "192.0.2.1").signIn("wrong", `n${i}@example.org`);
    expect(await new Browser(dashboard, "192.0.2.1").signIn(password)).toMatchObject({ code: "dashboard/too-many-attempts" });
    expect(await own.signIn(password)).toEqual({ code: "in" });
  });
});
