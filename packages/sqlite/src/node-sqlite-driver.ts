import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { CompiledQuery, type DatabaseConnection, type Driver, type QueryResult } from "kysely";
import { sqliteError } from "./sqlite-error.js";

/** Kysely's driver over one `node:sqlite` connection; Kysely's mutex gives it to one transaction at a time. */
export class NodeSqliteDriver implements Driver {
  readonly #database: DatabaseSync;
  readonly #connection: NodeSqliteConnection;

  constructor(components: { readonly database: DatabaseSync }, init: { readonly path: string }) {
    this.#database = components.database;
    this.#connection = new NodeSqliteConnection(components, init);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    // `immediate` takes the write lock at once: a later upgrade could fail with SQLITE_BUSY in the middle.
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("commit"));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await connection.executeQuery(CompiledQuery.raw("rollback"));
    } catch (reason) {
      // A full disk makes SQLite roll back by itself; the error of a second rollback would hide the first one.
      if (!(reason instanceof Error && reason.message.includes("no transaction is active"))) throw reason;
    }
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#connection.forgetStatements();
    this.#database.close();
  }
}

class NodeSqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #path: string;
  /** The stores have some thirty statements; preparing one costs more than running it. */
  readonly #statements = new Map<string, StatementSync>();

  constructor(components: { readonly database: DatabaseSync }, init: { readonly path: string }) {
    this.#database = components.database;
    this.#path = init.path;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const statement = this.#statement(query.sql);
      const parameters = query.parameters as SQLInputValue[];
      if (returnsRows(query.sql)) {
        const rows = statement.all(...parameters) as R[];
        return { rows, numAffectedRows: BigInt(rows.length) };
      }
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    } catch (reason) {
      throw sqliteError(reason, this.#path);
    }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    for (const row of this.#database.prepare(query.sql).iterate(...(query.parameters as SQLInputValue[]))) yield { rows: [row as R] };
  }

  forgetStatements(): void {
    this.#statements.clear();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    // Lists (`in (?, ?, …)`, inserts of many rows) have one text per length, so the cache has an end.
    if (this.#statements.size < 200) this.#statements.set(sql, statement);
    return statement;
  }
}

/** Before Node 22.16 a statement cannot be asked whether it has columns. The text tells: values are never part of it. */
function returnsRows(text: string): boolean {
  return /^\s*(?:select|with|pragma)\b|\breturning\b/i.test(text);
}
