import { join } from "node:path";
import { openSqliteDatabase } from "@flare-ts/sqlite";
import type { FastifyBaseLogger } from "fastify";
import { migrations } from "./migrations.js";
import { openPostgresDatabase } from "./open-postgres-database.js";
import type { DashboardTables, Database } from "./tables.js";

export interface OpenDatabaseInit {
  /** Where the embedded database is kept when there is no address of another one. */
  readonly dataFolder: string;
  /** Of a PostgreSQL database, `postgres://user:password@host/name`. @default the embedded SQLite database */
  readonly databaseUrl?: string | undefined;
}

/**
 * Opens the dashboard's database and brings its tables up to date.
 *
 * @throws FlareError `store/unusable`, `dashboard/already-running`, `dashboard/database-unusable`
 */
export async function openDatabase(
  components: { readonly logger: FastifyBaseLogger },
  { dataFolder, databaseUrl }: OpenDatabaseInit,
): Promise<Database> {
  if (databaseUrl !== undefined) return openPostgresDatabase(components, { databaseUrl, migrations });
  return openSqliteDatabase<DashboardTables>({ path: embeddedDatabasePath(dataFolder), migrations });
}

/** Path of the embedded database in a data folder. */
export function embeddedDatabasePath(dataFolder: string): string {
  return join(dataFolder, "dashboard.sqlite");
}
