import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, expect, inject, it } from "vitest";
import { FakeFederation } from "../federation/fake-federation.test-support.js";
import type { FederationAdmin } from "../federation/federation-link.js";
import { holdTable } from "../held-table.test-support.js";
import { startTestDashboard, type TestDashboard, type TestPerson } from "../test-dashboard.test-support.js";

const failures: unknown[] = [];
const note = (reason: unknown): void => void failures.push(reason);
beforeEach(() => void process.on("uncaughtException", note));
afterEach(() => void process.off("uncaughtException", note));

/** A server that is reached, and does nothing. */
class SilentFederation extends FakeFederation {
  asked = 0;
  override admin(): FederationAdmin {
    this.asked += 1;
    return {} as FederationAdmin;
  }
}

/** Begins to upload a job of many bytes, and sends some of them. */
function beginUpload({ url }: TestDashboard, { headers }: TestPerson, bytes = 1_000_000): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).on("error", () => undefined);
  const fields = { ...headers, host: "localhost", "content-type": "application/zip", "content-length": String(bytes) };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST /api/v1/jobs HTTP/1.1\r\n${lines.join("")}\r\n${"x".repeat(50_000)}`);
  return socket;
}

it("an upload whose connection breaks at any moment ends alone", async () => {
  const link = new SilentFederation();
  const dashboard = await startTestDashboard("SQLite", {}, { federation: link });
  const lead = await dashboard.person({ role: "lead" });
  const { transfers } = dashboard.dashboard.parts.federation;
  for (let i = 1; i <= 40; i++) {
    const socket = beginUpload(dashboard, lead);
    await expect.poll(() => link.asked, { interval: 1 }).toBe(i);
    socket.resetAndDestroy();
    await expect.poll(async () => await allFree(transfers, lead.id)).toBe(true);
  }
  expect(failures).toEqual([]);
});

it.skipIf(inject("postgresUrl") === null)(
  "an upload whose connection breaks while it is looked up who sends it leaves nothing behind",
  async () => {
    const link = new SilentFederation();
    const dashboard = await startTestDashboard("PostgreSQL", {}, { federation: link });
    const lead = await dashboard.person({ role: "lead" });
    const sessions = await holdTable(dashboard.databaseUrl, "sessions");
    const socket = beginUpload(dashboard, lead);
    await sessions.waitedFor();
    socket.resetAndDestroy();
    // Another connection is answered after the end of this one was seen.
    expect((await fetch(`${dashboard.url}/healthz`)).status).toBe(200);
    await sessions.release();
    await expect.poll(() => link.asked).toBe(1);
    await expect.poll(async () => await allFree(dashboard.dashboard.parts.federation.transfers, lead.id)).toBe(true);
    expect(failures).toEqual([]);
  },
);

it("a refusal reaches a sender that reads once it has sent everything, as browsers do", async () => {
  const dashboard = await startTestDashboard("SQLite", {}, { federation: new FakeFederation() });
  const lead = await dashboard.person({ role: "lead" });
  const bytes = 32 * 1024 * 1024;
  const socket = beginUpload(dashboard, lead, bytes);
  await new Promise((resolve) => socket.write(Buffer.alloc(bytes - 50_000), resolve));
  const answer = await new Promise<string>((resolve) => socket.once("data", (chunk: Buffer) => resolve(chunk.toString("utf8"))));
  expect(answer).toContain("dashboard/federation-unreachable");
  socket.destroy();
});

/** Whether a person may have all the transfers that one may have. */
async function allFree(transfers: TestDashboard["dashboard"]["parts"]["federation"]["transfers"], personId: string): Promise<boolean> {
  const taken: { remove(): Promise<void> }[] = [];
  try {
    for (let i = 0; i < 3; i++) taken.push(await transfers.take(personId));
    return true;
  } catch {
    return false;
  } finally {
    for (const one of taken) await one.remove();
  }
}
