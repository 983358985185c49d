import { openSqliteDatabase } from "@flare-ts/sqlite";
import type { ServerStore } from "./server-store.js";
import { serverMigrations } from "./sql/server-migrations.js";
import type { ServerTables } from "./sql/server-tables.js";
import { SqlServerStore } from "./sql/sql-server-store.js";

/**
 * Opens the server's store in one SQLite file, readable by its owner only; file and folder are made when they do not exist.
 *
 * @throws FlareError `store/unusable` when the file is damaged, locked, not a database, or from a newer version.
 */
export async function openSqliteServerStore(init: { readonly path: string }): Promise<ServerStore> {
  return new SqlServerStore({ db: await openSqliteDatabase<ServerTables>({ path: init.path, migrations: serverMigrations }) });
}
