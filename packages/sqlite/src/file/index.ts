// SQLite without a query builder, for processes whose few statements are not worth its memory.
export { type OpenSqliteFileInit, openSqliteFile, type SqliteFile, type SqliteRow, type SqliteValue } from "./sqlite-file.js";
