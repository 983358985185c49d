/** Whether a database refused a row because another one has its key: PostgreSQL's 23505, SQLite's UNIQUE and PRIMARY KEY. */
export function isUniqueViolation(reason: unknown): boolean {
  if (!(reason instanceof Error)) return false;
  const { code, errcode } = reason as { code?: unknown; errcode?: unknown };
  return code === "23505" || errcode === 2067 || errcode === 1555;
}
