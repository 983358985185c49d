import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { FlareError } from "@flare-ts/contracts/errors";
import { loadNodeSqlite } from "./load-node-sqlite.js";
import { sqliteError } from "./sqlite-error.js";

/**
 * Opens a database file whose commits survive a power cut (WAL, `synchronous=FULL`), readable by its owner only; it and its folder are
 * made when they do not exist.
 *
 * @throws FlareError `store/unusable`
 */
export async function openDatabaseFile(path: string): Promise<DatabaseSync> {
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
