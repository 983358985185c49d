import { FlareError } from "@flare-ts/contracts/errors";

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html) that an operator can do something about. */
const resultCodes = { busy: 5, readonly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;

/**
 * Turns what `node:sqlite` threw into `store/full` or `store/unusable` where it is about disk or file; anything else is
 * returned as it is.
 */
export function sqliteError(reason: unknown, path: string): unknown {
  const primary = primaryCode(reason);
  if (primary === undefined) return reason;
  const said = reason instanceof Error ? reason.message : String(reason);
  const options = { facts: { path, sqlite: said }, cause: reason };
  if (primary === resultCodes.full) return new FlareError("store/full", `The disk under ${path} is full.`, options);
  if ((Object.values(resultCodes) as number[]).includes(primary)) {
    return new FlareError("store/unusable", `The database ${path} cannot be used: ${said}.`, options);
  }
  return reason;
}

/** The error of a database whose tables could not be brought up to date: the reason itself where it is one of ours. */
export function migrationError(reason: unknown, path: string): FlareError {
  if (reason instanceof FlareError) return reason;
  const said = reason instanceof Error ? reason.message : "the migration failed";
  return new FlareError("store/unusable", `The tables of ${path} cannot be brought up to date: ${said}.`, {
    facts: { path },
    cause: reason,
  });
}

function primaryCode(reason: unknown): number | undefined {
  if (!(reason instanceof Error)) return undefined;
  const { code, errcode } = reason as { code?: unknown; errcode?: unknown };
  return code === "ERR_SQLITE_ERROR" && typeof errcode === "number" ? errcode & 0xff : undefined;
}
