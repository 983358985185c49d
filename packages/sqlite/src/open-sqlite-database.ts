import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { FlareError } from "@flare-ts/contracts";
import { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { loadNodeSqlite } from "./load-node-sqlite.js";
import { NodeSqliteDialect } from "./node-sqlite-dialect.js";
import { sqliteError } from "./sqlite-error.js";

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
  const database = await openFile(path);
  const db = new Kysely<Tables>({ dialect: new NodeSqliteDialect({ database }, { path }) });
  try {
    await migrate(db, init.migrations, path);
  } catch (reason) {
    database.close();
    throw reason;
  }
  return db;
}

async function openFile(path: string): Promise<DatabaseSync> {
  const { DatabaseSync } = loadNodeSqlite();
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // SQLite gives the write-ahead log and the shared memory file the mode of the database file.
    closeSync(openSync(path, "a", 0o600));
    await chmod(path, 0o600);
    database = new DatabaseSync(path);
    database.exec("pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on");
    syncFolder(dirname(path));
    return database;
  } catch (reason) {
    database?.close();
    const known = sqliteError(reason, path);
    if (known instanceof FlareError) throw known;
    const said = reason instanceof Error ? reason.message : String(reason);
    throw new FlareError("store/unusable", `The database ${path} cannot be opened: ${said}.`, { facts: { path }, cause: reason });
  }
}

/** Makes the names of new files survive a power cut; SQLite does so for its log only. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

async function migrate<Tables>(db: Kysely<Tables>, migrations: Readonly<Record<string, Migration>>, path: string): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  if (error instanceof FlareError) throw error;
  const said = error instanceof Error ? error.message : "the migration failed";
  throw new FlareError("store/unusable", `The tables of ${path} cannot be brought up to date: ${said}.`, { facts: { path }, cause: error });
}
