import { X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobEvent } from "@flare-ts/runtime/admin";
import { connectAdmin } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, it } from "vitest";
import { writeAddOneJob } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { watchStalls } from "./watch-stalls.js";

/** Minutes of a federation whose certificates live 5 minutes; without it, half a minute with certificates of 18 s. */
const minutes = Number(process.env["FLARE_RENEWAL_MINUTES"] ?? 0);
const lifetimeMs = minutes > 0 ? 300_000 : 18_000;
const durationMs = minutes > 0 ? minutes * 60_000 : 29_000;
const sites = ["site-1", "site-2"];
/**
 * A renewal has a third of a life for what takes tenths of a second elsewhere. Where the same takes so long, it may come too late for reasons
 * that are not ours: then sites may be cut, and must be back, but no round may notice.
 */
const starvedMs = lifetimeMs / 8;

const none: Readonly<Record<string, string>> = {};
const ways = [
  { way: "mtls", security: "mtls", keyType: "rsa-2048", relays: none },
  { way: "tls", security: "tls", keyType: "p256", relays: none },
  { way: "mtls by relays", security: "mtls", keyType: "p256", relays: { "relay-1": "server", "relay-2": "relay-1" } },
];

// Side by side: each is a federation of its own that waits for its certificates to age, most of the time.
describe.each(ways)(
  "a federation over $way whose certificates end while it works",
  { concurrent: true },
  ({ security, keyType, relays }) => {
    let federation: Federation;
    let folder: string;
    const processes = ["server", ...Object.keys(relays), ...sites];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "flare-renewal-"));
      // Everybody has slept since the kits were made: certificates of 5 minutes that ended 5 minutes ago.
      const certificates = { key_type: keyType, leaf_lifetime: "5m", server_may_renew: ["client", "server", "relay", "admin"] };
      const behind: Readonly<Record<string, { connect_to: { name: string } }>> = {
        "site-1": { connect_to: { name: "relay-1" } },
        "site-2": { connect_to: { name: "relay-2" } },
      };
      const perSite = relays === none ? {} : behind;
      const madeAt = new Date(Date.now() - 600_000);
      federation = await createFederation({
        sites,
        relays,
        settings: { project: { certificates, connection_security: security }, perSite },
        leafLifetimeMs: lifetimeMs,
        madeAt,
      });
      await federation.startAll();
    });

    afterAll(async () => {
      await federation.dispose();
      await rm(folder, { recursive: true, force: true });
    });

    it("renews those of server, sites and admin again and again, and no round and no connection notices", {
      concurrent: false,
      timeout: durationMs + 240_000,
    }, async ({ expect }) => {
      const job = join(folder, "job");
      const trainMs = minutes > 0 ? 2_000 : 800;
      await writeAddOneJob({ folder: job, rounds: 100_000, trainMs, minClients: 2, args: { min_clients: 2 } });
      let adminRenewals = 0;
      const admin = await connectAdmin({
        kitDir: federation.adminKit,
        onLog: ({ message }) => {
          if (message === "certificate renewed") adminRenewals += 1;
        },
      });
      const stalls = watchStalls(join(folder, "stalls"));
      const { jobId } = await admin.submitJob(job);
      const events: JobEvent[] = [];
      const endMs = performance.now() + durationMs;
      let isAborted = false;
      for await (const { event } of admin.watchJob(jobId)) {
        events.push(event);
        if (performance.now() < endMs || isAborted || event.type !== "round-closed") continue;
        isAborted = true;
        await admin.abortJob(jobId, "long enough");
      }
      admin.close();
      const slowestMs = await stalls.stop();
      const isStarved = slowestMs > starvedMs;
      const closed = events.filter((event) => event.type === "round-closed");
      const renewals = await Promise.all(
        processes.map(async (name) => (await logOf(federation, name)).filter(({ message }) => message === "certificate renewed").length),
      );
      process.stdout.write(
        `${closed.length} rounds in ${durationMs / 1000} s; renewals of ${processes.join(", ")} and admin: ${[...renewals, adminRenewals].join(", ")}; slowest write ${Math.round(slowestMs)} ms\n`,
      );
      expect(closed.filter(({ contributors, missing }) => contributors.length !== 2 || missing.length > 0)).toEqual([]);
      expect(events.filter(({ type }) => type === "task-failed" || type === "site-left")).toEqual([]);
      expect(isStarved ? [] : events.filter(({ type }) => type === "site-disconnected")).toEqual([]);
      expect(closed.length).toBeGreaterThan(durationMs / (trainMs * 20));
      const least = Math.floor(durationMs / lifetimeMs);
      for (const count of [...renewals, adminRenewals]) expect(count).toBeGreaterThanOrEqual(least);
      for (const name of processes.slice(1)) {
        const attached = (await logOf(federation, name)).filter(({ message }) => message === "attached to server").length;
        expect(attached).toBeGreaterThanOrEqual(1);
        expect(isStarved ? 1 : attached).toBe(1);
      }
      for (const name of processes) {
        const errors = (await logOf(federation, name)).filter(({ level }) => level === "error");
        expect(errors.filter(({ message }) => !(isStarved && message.startsWith("certificate ")))).toEqual([]);
      }
      const kept = (await readdir(join(federation.kitOf("site-1"), "identity"))).filter((name) => /^[0-9a-f]{8,}$/.test(name));
      expect(kept).toHaveLength(1);
    });

    it("takes everybody back whose certificate ended while the machine slept, and goes on with what was renewed last", {
      concurrent: false,
    }, async ({ expect }) => {
      await Promise.all(sites.map((site) => federation.stop(site)));
      for (const name of ["server", ...Object.keys(relays)]) await federation.stop(name);
      await sleepUntilEnded(federation.kitOf("site-1"));
      await federation.startAll();
      const admin = await federation.admin();
      // What a site has is soon to end again: it may be on a new connection just now.
      const states = async () => (await admin.status()).sites.map(({ state }) => state);
      await expect.poll(states).toEqual(["connected", "connected"]);
      admin.close();
    });
  },
);

/** The end of a certificate is waited for as that of any process would be: by the clock. */
async function sleepUntilEnded(kitDir: string): Promise<void> {
  const renewed = join(kitDir, "identity");
  const serial = (await readFile(join(renewed, "current"), "utf8")).trim();
  const { validTo } = new X509Certificate(await readFile(join(renewed, serial, "client.crt")));
  await eventually("the certificate has ended", () => Date.now() > Date.parse(validTo));
}

async function logOf(federation: Federation, name: string): Promise<readonly { readonly message: string; readonly level: string }[]> {
  const text = await readFile(join(federation.kitOf(name), "log.json"), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { message: string; level: string });
}
