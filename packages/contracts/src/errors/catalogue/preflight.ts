import { exitStatus, row } from "./row.js";

/** Errors of the area `preflight`. */
export const preflightErrors = {
  "preflight/failed": row(
    "user",
    "A kit cannot be started as things are.",
    "Do what stands beside each problem, the first one first, and run the command again.",
  ),
  "preflight/no-connection": row(
    "user",
    "A kit is in order, but its server cannot be reached from here, or does not let it in.",
    "Do what stands beside each problem, the first one first, and run the command again.",
    { exit: exitStatus.connection },
  ),
} as const;
