import { afterAll, beforeAll, expect, it } from "vitest";
import { Exchange } from "../../test/exchange.js";
import { projectCertificateStatus } from "./certificate-status.js";
import { revokeParticipant } from "./revoke.js";

const dayMs = 24 * 3_600_000;
let exchange: Exchange;
beforeAll(async () => {
  exchange = await Exchange.create();
});
afterAll(() => exchange.remove());

it("the status of a project names those that keep their own keys, by the last certificate that counts", async () => {
  const later = (ms: number): Date => new Date(exchange.now.getTime() + ms);
  const place = { workspace: exchange.authorityDir, project: "cancer" } as const;
  const rows = async (now: Date): Promise<string[]> =>
    (await projectCertificateStatus({ ...place, now })).certificates
      .filter(({ kind }) => kind === "requested")
      .map(({ name, condition, validTo }) => `${name} ${condition} ${(validTo.getTime() - exchange.now.getTime()) / dayMs}`);
  expect(await rows(exchange.now)).toEqual([]);
  for (const who of ["site", "user"] as const) {
    await exchange.request(who);
    await exchange.approve(who);
  }
  expect(await rows(later(1000))).toEqual(["hospital-a good 90", "lead@example.org good 90"]);
  expect(await rows(later(61 * dayMs))).toEqual(["hospital-a ending 90", "lead@example.org ending 90"]);
  expect(await rows(later(91 * dayMs))).toEqual(["hospital-a ended 90", "lead@example.org ended 90"]);

  await revokeParticipant({ ...place, caKey: "clear", now: later(1000), name: "hospital-a", reason: "superseded" });
  expect(await rows(later(2000))).toEqual(["hospital-a revoked 90", "lead@example.org good 90"]);
  await exchange.request("site", {}, { isForced: true });
  await exchange.approve("site", { isForced: true, now: later(dayMs), validDays: 60 });
  expect(await rows(later(2 * dayMs))).toEqual(["hospital-a good 61", "lead@example.org good 90"]);
});
