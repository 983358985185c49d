import { expect, it } from "vitest";
import { signIn } from "../contract/session.js";
import { startTestDashboard } from "../test-dashboard.test-support.js";

it("how long a refused sign-in takes does not tell whether the address is known", async () => {
  // A cost at which hashing is what takes the time, as it is in use.
  const scryptCost = { logN: 13, r: 8, p: 1 };
  const rateLimits = { requestsPerMinute: 10_000, openChangesPerMinute: 10_000 };
  const { clock, person, stranger } = await startTestDashboard("SQLite", { scryptCost, rateLimits });
  await person({ email: "known@example.org", password: "correct horse battery" });
  await person({ email: "elsewhere@example.org" });
  const times: Record<string, number[]> = { known: [], unknown: [], elsewhere: [] };
  for (let i = 0; i < 25; i++) {
    for (const who of Object.keys(times)) {
      clock.advance(24 * 3_600_001);
      const began = performance.now();
      await expect(stranger().call(signIn, { body: { email: `${who}@example.org`, password: "wrong" } })).rejects.toMatchObject({
        code: "dashboard/wrong-credentials",
      });
      times[who]?.push(performance.now() - began);
    }
  }
  const [known = 0, unknown = 0, elsewhere = 0] = ["known", "unknown", "elsewhere"].map((who) => median(times[who] ?? []));
  // Without the hash of a stand-in the ratio would be above 5.
  for (const other of [unknown, elsewhere]) {
    expect(other / known).toBeGreaterThan(0.6);
    expect(other / known).toBeLessThan(1.6);
  }
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
