import { resolve } from "node:path";
import { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { NodeSqliteDialect } from "./node-sqlite-dialect.js";
import { openDatabaseFile } from "./open-database-file.js";
import { migrationError } from "./sqlite-error.js";

export interface OpenSqliteDatabaseInit {
  /** The database file; it and its folder are made when they do not exist. */
  readonly path: string;
  /** Migrations by name; they run in the order of their names, those that have run before are left out. */
  readonly migrations: Readonly<Record<string, Migration>>;
}

/**
 * Opens a SQLite database whose commits survive a power cut (WAL, `synchronous=FULL`), readable by its owner only, and
 * brings its tables up to date.
 *
 * @throws FlareError `store/unusable` when the file is damaged, locked, not a database, or from a newer version.
 */
export async function openSqliteDatabase<Tables>(init: OpenSqliteDatabaseInit): Promise<Kysely<Tables>> {
  const path = resolve(init.path);
  const database = await openDatabaseFile(path);
  const db = new Kysely<Tables>({ dialect: new NodeSqliteDialect({ database }, { path }) });
  try {
    await migrate(db, init.migrations, path);
  } catch (reason) {
    database.close();
    throw reason;
  }
  return db;
}

async function migrate<Tables>(db: Kysely<Tables>, migrations: Readonly<Record<string, Migration>>, path: string): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw migrationError(error, path);
}
