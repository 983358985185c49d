export { loadNodeSqlite } from "./load-node-sqlite.js";
export { NodeSqliteDialect } from "./node-sqlite-dialect.js";
export { type OpenSqliteDatabaseInit, openSqliteDatabase } from "./open-sqlite-database.js";
export { sqliteError } from "./sqlite-error.js";
