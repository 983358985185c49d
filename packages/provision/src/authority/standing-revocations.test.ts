import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { limits, type Revocation, type TrustListDocument } from "@flare-ts/contracts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { errorOf } from "../../test/error-of.js";
import { provisionExample } from "../../test/provision-example.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { revokeParticipant } from "./revoke.js";
import { finishRollover, startRollover } from "./rollover.js";

const now = new Date("2026-11-01T12:00:00Z");
const dayMs = 24 * 60 * 60 * 1000;
const later = (ms: number): Date => new Date(now.getTime() + ms);
const project = "example_project";
const curve = { 24: "      root_valid_days: 3600\ncertificates: { key_type: p256, leaf_lifetime: 90d }" };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await folder.remove();
});

const place = (at: Date) => ({ workspace: join(folder.dir, "workspace"), project, caKey: "clear", now: at }) as const;
const provisionAt = async (at = now): Promise<string> => (await provisionExample(folder.dir, curve, { now: at })).prodDir;
const listed = (trustListText: string): readonly string[] => {
  const { document } = JSON.parse(trustListText) as { document: string };
  return (JSON.parse(Buffer.from(document, "base64").toString("utf8")) as TrustListDocument).revoked.map(({ name }) => name);
};
const revoke = async (name: string, at: Date): Promise<readonly string[]> =>
  listed((await revokeParticipant({ ...place(at), name, reason: "superseded", isForced: true })).trustListText);

it("a revocation leaves the list when nothing that it stops can be good any more, and no sooner", async () => {
  await provisionAt();
  expect(await revoke("hospital-a", later(dayMs))).toEqual(["hospital-a"]);
  // The server may have renewed it at any moment up to then, for 90 days.
  expect(await revoke("stranger", later(170 * dayMs))).toEqual(["hospital-a", "stranger"]);
  // Of a stranger's certificates nobody here knows when they end.
  expect(await revoke("admin@example.org", later(182 * dayMs))).toEqual(["stranger", "admin@example.org"]);
});

it("that of a server stays as long as the certificate with which it issued", async () => {
  await provisionAt();
  await revoke("server1.example.org", later(dayMs));
  expect(await revoke("hospital-a", later(1000 * dayMs))).toEqual(["server1.example.org", "hospital-a"]);
});

it("whoever was revoked gets a new key also when the list speaks of it no more", async () => {
  const before = await readFile(join(await provisionAt(), "hospital-a", "startup/client.crt"), "utf8");
  await revoke("hospital-a", later(dayMs));
  expect(await revoke("admin@example.org", later(182 * dayMs))).not.toContain("hospital-a");
  const after = await readFile(join(await provisionAt(later(183 * dayMs)), "hospital-a", "startup/client.crt"), "utf8");
  expect(new X509Certificate(after).publicKey.equals(new X509Certificate(before).publicKey)).toBe(false);
});

it("a list that has no room is not made; another root takes over, and there is room", async () => {
  await provisionAt();
  const file = join(folder.dir, "workspace", project, "state/ca.json");
  const state = JSON.parse(await readFile(file, "utf8")) as { revoked: Revocation[] };
  const entry = (index: number): Revocation => ({
    name: `site-${index}`.padEnd(256, "-"),
    serials: [],
    revoked_at_ms: later(dayMs).getTime(),
    reason: "superseded",
  });
  state.revoked = Array.from({ length: 4550 }, (_, index) => entry(index));
  await writeFile(file, JSON.stringify(state));
  const text = await readFile(file, "utf8");
  const error = await errorOf(revoke("hospital-a", later(2 * dayMs)));
  expect([error.code, error.message.replaceAll(/\d+/g, "N")]).toEqual([
    "project/trust-list-full",
    "The trust list of 'example_project' with N revocations would have N bytes; it may have N.",
  ]);
  expect(await readFile(file, "utf8")).toBe(text);
  const { trustListText } = await startRollover(place(later(3 * dayMs)));
  expect(trustListText.length).toBeLessThan(limits.trustListBytes);
  await provisionAt(later(4 * dayMs));
  expect(listed((await finishRollover(place(later(5 * dayMs)))).trustListText)).toEqual([]);
  expect(await revoke("hospital-a", later(6 * dayMs))).toEqual(["hospital-a"]);
});
