import type { DatabaseSync } from "node:sqlite";
import {
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { NodeSqliteDriver } from "./node-sqlite-driver.js";

/** Kysely's dialect for an open `node:sqlite` database. */
export class NodeSqliteDialect implements Dialect {
  readonly #database: DatabaseSync;
  readonly #path: string;

  constructor(components: { readonly database: DatabaseSync }, init: { readonly path: string }) {
    this.#database = components.database;
    this.#path = init.path;
  }

  createDriver(): Driver {
    return new NodeSqliteDriver({ database: this.#database }, { path: this.#path });
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new TransactionalSqliteAdapter();
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(db as never);
  }
}

/** Kysely's adapter says that SQLite cannot change tables in a transaction. It can, and a killed migration must leave nothing half-done. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}
