import type * as nodeSqlite from "node:sqlite";

/** The module `node:sqlite`. */
export type NodeSqlite = typeof nodeSqlite;

/**
 * Loads `node:sqlite` without the ExperimentalWarning that Node 22 and 24 print when it is loaded: a hospital's operator
 * can do nothing about it. Only this one warning is held back, and only while the module loads (which is synchronous);
 * every other warning and every flag of the process stays as it is.
 */
export function loadNodeSqlite(): NodeSqlite {
  const original = Object.getOwnPropertyDescriptor(process, "emitWarning");
  const emitWarning = process.emitWarning.bind(process) as (...all: unknown[]) => void;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    const text = warning instanceof Error ? warning.message : warning;
    if (rest[0] === "ExperimentalWarning" && text.startsWith("SQLite")) return;
    emitWarning(warning, ...rest);
  };
  try {
    return process.getBuiltinModule("node:sqlite");
  } finally {
    if (original !== undefined) Object.defineProperty(process, "emitWarning", original);
  }
}
