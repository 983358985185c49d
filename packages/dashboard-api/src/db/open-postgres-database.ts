import { FlareError } from "@flare-ts/contracts";
import type { FastifyBaseLogger } from "fastify";
import { Kysely, PostgresDialect, type PostgresPool } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { Pool, types } from "pg";
import { DatabaseClaim } from "./database-claim.js";
import type { DashboardTables, Database } from "./tables.js";

/**
 * Opens a PostgreSQL database for this dashboard alone, and brings its tables up to date.
 *
 * @throws FlareError `dashboard/already-running`, `dashboard/database-unusable`; the address, which holds a password, is not part of it
 */
export async function openPostgresDatabase(
  components: { readonly logger: FastifyBaseLogger },
  init: { readonly databaseUrl: string; readonly migrations: Readonly<Record<string, Migration>> },
): Promise<Database> {
  const claim = await DatabaseClaim.take(components, init).catch((reason: unknown) => {
    throw reason instanceof FlareError ? reason : unusable(reason);
  });
  const pool = new Pool({
    connectionString: init.databaseUrl,
    max: 10,
    connectionTimeoutMillis: 10_000,
    application_name: "flare dashboard",
    types: { getTypeParser: (oid, format) => (oid === types.builtins.INT8 ? readInt8 : types.getTypeParser(oid, format)) },
  });
  // A connection that breaks while nobody uses it is replaced by the pool; without a listener it would end the process.
  pool.on("error", () => undefined);
  const claimed: PostgresPool = {
    options: pool.options,
    async connect() {
      await claim.held();
      return await pool.connect();
    },
    async end() {
      await pool.end();
      await claim.release();
    },
  };
  const db = new Kysely<DashboardTables>({ dialect: new PostgresDialect({ pool: claimed }) });
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...init.migrations }) } });
  const { error } = await migrator.migrateToLatest().catch((reason: unknown) => ({ error: reason }));
  if (error === undefined) return db;
  await db.destroy();
  throw unusable(error);
}

function unusable(cause: unknown): FlareError {
  const said = cause instanceof Error ? cause.message : "the tables could not be brought up to date";
  return new FlareError("dashboard/database-unusable", `The PostgreSQL database cannot be used: ${said}.`, { cause });
}

/** Times in milliseconds and counts are far below 2^53. */
function readInt8(text: string): number {
  return Number(text);
}
