import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "pg";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { createTestDatabase, startTestDashboard } from "../test-dashboard.test-support.js";

const lock = "hashtextextended('flare dashboard in ' || current_schema(), 0)";
const holders = `from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())`;

async function connect(databaseUrl: string): Promise<Client> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** A dashboard as a process of its own, on a data folder of its own. */
async function startElsewhere(databaseUrl: string): Promise<{ kill: () => Promise<void>; pid: number }> {
  const folder = mkdtempSync(join(tmpdir(), "flare-claim-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const script = `
    import { startDashboard } from ${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)};
    await startDashboard({ dataFolder: process.argv[1], databaseUrl: process.argv[2], port: 0, security: { kind: "clear" } });
    console.log("started");
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script, join(folder, "data"), databaseUrl], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(kill);
  for await (const _line of createInterface({ input: child.stdout })) return { kill, pid: child.pid ?? 0 };
  throw new Error("the dashboard did not start");
}

describe.skipIf(inject("postgresUrl") === null)("a PostgreSQL database", () => {
  it("is one dashboard's alone: a second one with a data folder of its own is refused, and may have it afterwards", async () => {
    const databaseUrl = await createTestDatabase();
    const first = await startTestDashboard("SQLite", { databaseUrl });
    const second = startTestDashboard("SQLite", { databaseUrl });
    await expect(second).rejects.toMatchObject({
      code: "dashboard/already-running",
      message: expect.stringContaining(`process ${process.pid} on `),
    });
    expect((await fetch(`${first.url}/healthz`)).status).toBe(200);
    await first.stop();
    await startTestDashboard("SQLite", { databaseUrl });
  });

  it("is free as soon as the process of its dashboard is killed", async () => {
    const databaseUrl = await createTestDatabase();
    const { kill, pid } = await startElsewhere(databaseUrl);
    await expect(startTestDashboard("SQLite", { databaseUrl })).rejects.toMatchObject({
      message: expect.stringContaining(`process ${pid} on `),
    });
    await kill();
    await startTestDashboard("SQLite", { databaseUrl });
  });

  it("stays its dashboard's when the connection breaks: work waits until it is claimed again", async () => {
    const databaseUrl = await createTestDatabase();
    const { url } = await startTestDashboard("SQLite", { databaseUrl });
    const client = await connect(databaseUrl);
    for (let time = 0; time < 3; time++) {
      const { rows } = await client.query<{ pid: number }>(`select pid ${holders}`);
      expect(rows).toHaveLength(1);
      await client.query(`select pg_terminate_backend($1, 10000)`, [rows[0]?.pid]);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      // The answer may have come before the break was seen: the claim is there again in any case.
      await expect.poll(async () => (await client.query(`select pid ${holders}`)).rows.length).toBe(1);
    }
  });

  it("that another dashboard has taken while the connection was broken is not touched any more", async () => {
    const databaseUrl = await createTestDatabase();
    const { url } = await startTestDashboard("SQLite", { databaseUrl });
    const [client, other] = [await connect(databaseUrl), await connect(databaseUrl)];
    const { rows } = await client.query<{ pid: number }>(`select pid ${holders}`);
    // It stands in line already, so that it is the next.
    const taken = other.query(`select pg_advisory_lock(${lock})`);
    await expect
      .poll(async () => (await client.query(`select pid from pg_locks where locktype = 'advisory' and not granted`)).rows.length)
      .toBe(1);
    await client.query(`select pg_terminate_backend($1)`, [rows[0]?.pid]);
    await taken;
    await expect.poll(async () => (await fetch(`${url}/healthz`)).status, { timeout: 20_000 }).toBe(503);
    const answer = await fetch(`${url}/api/v1/session`);
    expect([answer.status, await answer.json()]).toMatchObject([503, { error: { code: "dashboard/database-unusable" } }]);
    await other.end();
    expect((await fetch(`${url}/healthz`)).status).toBe(503);
  });
});
