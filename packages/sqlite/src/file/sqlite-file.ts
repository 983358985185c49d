import { resolve } from "node:path";
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import { openDatabaseFile } from "../open-database-file.js";
import { migrationError, sqliteError } from "../sqlite-error.js";

/** What a statement is given. */
export type SqliteValue = SQLInputValue;

/** A row by its columns' names. */
export type SqliteRow = Readonly<Record<string, SQLOutputValue>>;

export interface OpenSqliteFileInit {
  /** The database file; it and its folder are made when they do not exist. */
  readonly path: string;
  /** SQL of each migration by its name; they run in the order of their names, those that have run before are left out. */
  readonly migrations: Readonly<Record<string, string>>;
}

/**
 * Opens a database of a few prepared statements; its commits survive a power cut, and what has run of its migrations stands where
 * `openSqliteDatabase` keeps it too.
 *
 * @throws FlareError `store/unusable` when the file is damaged, locked, not a database, or from a newer version.
 */
export async function openSqliteFile(init: OpenSqliteFileInit): Promise<SqliteFile> {
  const path = resolve(init.path);
  const database = await openDatabaseFile(path);
  const file = new SqliteFile({ database }, { path });
  try {
    migrate(file, init.migrations, path);
    return file;
  } catch (reason) {
    file.close();
    throw reason;
  }
}

/** An open database; statements are prepared once. Everything throws FlareError `store/full`, `store/unusable`. */
export class SqliteFile {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #statements = new Map<string, StatementSync>();

  constructor(components: { readonly database: DatabaseSync }, init: { readonly path: string }) {
    this.#database = components.database;
    this.#path = init.path;
  }

  all(sql: string, ...values: readonly SqliteValue[]): readonly SqliteRow[] {
    return this.#guard(() => this.#statement(sql).all(...values));
  }

  first(sql: string, ...values: readonly SqliteValue[]): SqliteRow | undefined {
    return this.#guard(() => this.#statement(sql).get(...values));
  }

  run(sql: string, ...values: readonly SqliteValue[]): void {
    this.#guard(() => this.#statement(sql).run(...values));
  }

  /** Runs statements without values, several of them too. */
  exec(sql: string): void {
    this.#guard(() => this.#database.exec(sql));
  }

  /** Runs a statement whose effect a power cut may take back, but no kill: its commit does not wait for the disk. */
  runWithoutWaiting(sql: string, ...values: readonly SqliteValue[]): void {
    this.exec("pragma synchronous = normal");
    try {
      this.run(sql, ...values);
    } finally {
      this.exec("pragma synchronous = full");
    }
  }

  /** All that is done inside, or nothing. */
  transaction<Result>(action: () => Result): Result {
    // `immediate` takes the write lock at once: a later upgrade could fail with SQLITE_BUSY in the middle.
    this.run("begin immediate");
    try {
      const result = action();
      this.run("commit");
      return result;
    } catch (reason) {
      this.#rollBack();
      throw reason;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #rollBack(): void {
    try {
      this.run("rollback");
    } catch {
      // A full disk makes SQLite roll back by itself; what failed first is what is told.
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #guard<Result>(action: () => Result): Result {
    try {
      return action();
    } catch (reason) {
      throw sqliteError(reason, this.#path);
    }
  }
}

function migrate(file: SqliteFile, migrations: Readonly<Record<string, string>>, path: string): void {
  try {
    file.transaction(() => {
      file.run("create table if not exists kysely_migration (name varchar(255) not null primary key, timestamp varchar(255) not null)");
      const done = new Set(file.all("select name from kysely_migration").map(({ name }) => String(name)));
      const unknown = [...done].find((name) => !Object.hasOwn(migrations, name));
      if (unknown !== undefined) throw new Error(`a newer version made the change ${unknown}`);
      for (const [name, sql] of Object.entries(migrations).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
        if (done.has(name)) continue;
        file.exec(sql);
        file.run("insert into kysely_migration (name, timestamp) values (?, datetime('now'))", name);
      }
    });
  } catch (reason) {
    throw migrationError(reason, path);
  }
}
