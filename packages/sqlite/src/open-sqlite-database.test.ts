import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqliteDatabase } from "./open-sqlite-database.js";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flare-sqlite-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a SQLite database", () => {
  it("is readable by its owner only", async () => {
    const path = join(folder, "new", "any.sqlite");
    await (await openSqliteDatabase<unknown>({ path, migrations: {} })).destroy();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "new")).mode & 0o777).toBe(0o700);
  });

  it("writes ahead, waits for the disk at every commit, checks references, and waits for other readers", async () => {
    const db = await openSqliteDatabase<unknown>({ path: join(folder, "any.sqlite"), migrations: {} });
    const pragma = async (name: string): Promise<unknown> =>
      Object.values((await sql`pragma ${sql.raw(name)}`.execute(db)).rows[0] ?? {})[0];
    expect(await pragma("journal_mode")).toBe("wal");
    expect(await pragma("synchronous")).toBe(2);
    expect(await pragma("foreign_keys")).toBe(1);
    expect(await pragma("busy_timeout")).toBe(5000);
    await db.destroy();
  });

  it("loads without a warning on the terminal, and lets other warnings through", () => {
    const script = `
      import { loadNodeSqlite } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
      loadNodeSqlite();
      process.emitWarning("another feature", "ExperimentalWarning");
    `;
    const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
    expect(status).toBe(0);
    expect(stderr).toContain("another feature");
    expect(stderr).not.toContain("SQLite");
  });
});
