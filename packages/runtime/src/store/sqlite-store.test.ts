import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { ContentHash } from "@flare-ts/contracts";
import { loadNodeSqlite, openSqliteDatabase } from "@flare-ts/sqlite";
import { CompiledQuery } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NewJob } from "./server-store.js";
import { rowFromNewJob } from "./sql/job-row.js";
import { serverMigrations } from "./sql/server-migrations.js";
import type { ServerTables } from "./sql/server-tables.js";
import { siteMigrations } from "./sql/site-migrations.js";
import { openSqliteServerStore } from "./sqlite-server-store.js";
import { openSqliteSiteStore } from "./sqlite-site-store.js";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flare-sqlite-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("SQLite store", () => {
  it("is readable by its owner only, with its log", async () => {
    const path = join(folder, "new", "server.sqlite");
    const store = await openSqliteServerStore({ path });
    await store.addJob(job);
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    await store.close();
  });

  it("changes a job and journals why in one step, and neither once the job is finished", async () => {
    const store = await openSqliteServerStore({ path: join(folder, "server.sqlite") });
    const submitted = { type: "job-submitted", submitter: job.submitterName, name: job.name } as const;
    expect(await store.addJob(job, submitted)).toMatchObject({ isNew: true, entry: { seq: 1, atMs: job.submitTimeMs, event: submitted } });
    expect(await store.addJob(job, submitted)).not.toHaveProperty("entry");
    const ended = { type: "job-ended", status: "FINISHED:ABORTED", reason: "a test" } as const;
    expect(await store.changeJob(job.jobId, { status: "FINISHED:ABORTED" }, 7, ended)).toMatchObject({ seq: 2, atMs: 7, event: ended });
    expect(await store.changeJob(job.jobId, { status: "RUNNING" }, 8, { type: "job-started", sites: [] })).toBeUndefined();
    expect((await store.entries(job.jobId)).map(({ event }) => event)).toEqual([submitted, ended]);
    expect((await store.job(job.jobId))?.status).toBe("FINISHED:ABORTED");
    await expect(store.changeJob("0b7a0c7e-2f55-4a53-9a5f-000000000000", {}, 9, ended)).rejects.toMatchObject({ code: "job/not-found" });
    await store.close();
  });

  it("takes a file that others could read away from them", async () => {
    const path = join(folder, "site.sqlite");
    writeFileSync(path, "", { mode: 0o644 });
    await (await openSqliteSiteStore({ path })).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("says that a file which is no database cannot be used", async () => {
    const path = join(folder, "server.sqlite");
    writeFileSync(path, "this is a letter, not a database".repeat(100));
    await expect(openSqliteServerStore({ path })).rejects.toMatchObject({ code: "store/unusable", facts: { path } });
  });

  it.each([
    ["server", openSqliteServerStore],
    ["site", openSqliteSiteStore],
  ])("refuses tables of a %s that a newer version has changed", async (_, open) => {
    const path = join(folder, "store.sqlite");
    await (await open({ path })).close();
    const { DatabaseSync } = loadNodeSqlite();
    const database = new DatabaseSync(path);
    database.exec("insert into kysely_migration (name, timestamp) values ('9999-future', '2099-01-01')");
    database.close();
    await expect(open({ path })).rejects.toMatchObject({ code: "store/unusable" });
  });

  it("of a server gives jobs of before there were studies to that of everybody", async () => {
    const path = join(folder, "server.sqlite");
    const [first = ""] = Object.keys(serverMigrations);
    const migrations = { [first]: serverMigrations[first] ?? { up: async () => undefined } };
    const old = await openSqliteDatabase<ServerTables>({ path, migrations });
    const { study: _, ...row } = rowFromNewJob(job, 1);
    await old
      .insertInto("jobs")
      .values(row as typeof row & { study: string })
      .execute();
    await old.destroy();
    const store = await openSqliteServerStore({ path });
    expect(await store.job("j1")).toMatchObject({ study: "default" });
    await store.close();
  });

  it("of a site goes on where its first release, which had a query builder, left it", async () => {
    const path = join(folder, "site.sqlite");
    const [first = "", ...later] = Object.keys(siteMigrations);
    const old = await openSqliteDatabase({
      path,
      migrations: {
        [first]: { up: async (db) => runAll(siteMigrations[first] ?? "", (text) => db.executeQuery(CompiledQuery.raw(text))) },
      },
    });
    await old.destroy();
    const store = await openSqliteSiteStore({ path });
    await store.endJob("j1");
    expect(await store.hasEnded("j1")).toBe(true);
    expect(await store.lastBase("j1")).toBeUndefined();
    await store.close();
    expect(later.length).toBeGreaterThan(0);
  });

  it("says that a folder where a file should be cannot be used", async () => {
    await expect(openSqliteServerStore({ path: folder })).rejects.toMatchObject({ code: "store/unusable" });
  });

  it("loses nothing that it acknowledged when its process is killed, and leaves no gap", async () => {
    const path = join(folder, "server.sqlite");
    const store = await openSqliteServerStore({ path });
    await store.addJob(job);
    await store.close();
    for (let kill = 0; kill < 5; kill++) {
      const acknowledged = await appendUntilKilled(path, randomInt(20, 200));
      const reopened = await openSqliteServerStore({ path });
      const entries = await reopened.entries(job.jobId);
      await reopened.close();
      expect(entries.length).toBeGreaterThanOrEqual(acknowledged);
      expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, i) => i + 1));
    }
  });
});

const job: NewJob = {
  jobId: "j1",
  name: "job",
  study: "default",
  submitterName: "lead@a.org",
  submitterOrg: "clinic_a",
  submitterRole: "lead",
  submitTimeMs: 1,
  signedJob: { hash: "a".repeat(64) as ContentHash, size: 1 },
};

async function runAll(sql: string, run: (text: string) => Promise<unknown>): Promise<void> {
  for (const text of sql.split(";").filter((part) => part.trim() !== "")) await run(text);
}

/** Appends in a process of its own, kills it after so many acknowledgements and a moment, and returns the last number that it printed. */
async function appendUntilKilled(path: string, count: number): Promise<number> {
  const script = `
    import { writeSync } from "node:fs";
    import { openSqliteServerStore } from ${built("sqlite-server-store.js")};
    const store = await openSqliteServerStore({ path: ${JSON.stringify(path)} });
    for (;;) {
      const { seq } = await store.append("j1", Date.now(), { type: "site-connected", site: "site-1" });
      writeSync(1, seq + "\\n");
    }
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  let last = 0;
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (++lines === count) child.kill("SIGKILL");
  }
  await closed;
  expect(lines).toBeGreaterThanOrEqual(count);
  return last;
}

/** The built module as a literal for a script; a process of Node cannot load the source as it is. */
function built(module: string): string {
  return JSON.stringify(new URL(`../../dist/store/${module}`, import.meta.url).href);
}
