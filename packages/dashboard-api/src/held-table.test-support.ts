import { Client } from "pg";
import { expect } from "vitest";

/** A table of a PostgreSQL database that nobody else reads or writes meanwhile. */
export interface HeldTable {
  /** Ends when somebody waits for the table. */
  readonly waitedFor: () => Promise<void>;
  readonly release: () => Promise<void>;
}

/** Holds a table, so that whatever needs it stops there. */
export async function holdTable(databaseUrl: string | undefined, table: string): Promise<HeldTable> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(`begin; lock table ${table} in access exclusive mode`);
  return {
    async waitedFor() {
      const waiting = `select 1 from pg_locks where relation = '${table}'::regclass and not granted`;
      await expect.poll(async () => (await client.query(waiting)).rowCount).toBeGreaterThan(0);
    },
    async release() {
      await client.query("commit");
      await client.end();
    },
  };
}
