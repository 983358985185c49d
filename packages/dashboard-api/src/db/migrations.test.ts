import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteDatabase } from "@flare-ts/sqlite";
import { type Kysely, sql } from "kysely";
import { pino } from "pino";
import { expect, it, onTestFinished } from "vitest";
import { createTestDatabase, describeOnEachDatabase } from "../test-dashboard.test-support.js";
import { migrations } from "./migrations.js";
import { openDatabase } from "./open-database.js";
import { openPostgresDatabase } from "./open-postgres-database.js";

const logger = pino({ level: "silent" });

describeOnEachDatabase("a database of an earlier version", (kind) => {
  it("keeps its people, whose addresses count as not proven, and the requests of its sites", async () => {
    const dataFolder = mkdtempSync(join(tmpdir(), "flare-migrations-"));
    onTestFinished(() => rmSync(dataFolder, { recursive: true, force: true }));
    const databaseUrl = kind === "PostgreSQL" ? await createTestDatabase() : undefined;
    const former = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < "400"));
    const before: Kysely<never> =
      databaseUrl === undefined
        ? await openSqliteDatabase({ path: join(dataFolder, "dashboard.sqlite"), migrations: former })
        : ((await openPostgresDatabase({ logger }, { databaseUrl, migrations: former })) as unknown as Kysely<never>);
    await sql`insert into people (id, email, name, organization, role, state, created_at_ms) values ('p', 'a@example.org', 'A', 'x', 'lead', 'approved', 1)`.execute(
      before,
    );
    await sql`insert into sites (id, name, name_key, organization, description, state, gpus, mem_per_gpu_gib, properties, allow_log_streaming, created_at_ms, created_by, decision_note)
      values ('s', 'S', 's', 'x', '', 'pending', 0, 0, '{}', 0, 1, 'A', '')`.execute(before);
    await sql`insert into site_requests values ('s', 'r', 'k', 'zip', 2, 'A', null)`.execute(before);
    await before.destroy();
    const db = await openDatabase({ logger }, { dataFolder, databaseUrl });
    expect(await db.selectFrom("people").select(["email", "email_proven_at_ms"]).execute()).toEqual([
      { email: "a@example.org", email_proven_at_ms: null },
    ]);
    expect(await db.selectFrom("certificate_requests").selectAll().execute()).toEqual([
      {
        holder_id: "s",
        site_id: "s",
        person_id: null,
        request_id: "r",
        public_key_sha256: "k",
        archive: "zip",
        uploaded_at_ms: 2,
        uploaded_by: "A",
        problem: null,
      },
    ]);
    await db.deleteFrom("sites").execute();
    expect(await db.selectFrom("certificate_requests").selectAll().execute()).toEqual([]);
    await db.destroy();
  });
});
