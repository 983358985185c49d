import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";

/**
 * Stops grpc-js from writing to standard error: whatever it would say reaches the caller as an error. Who asks for its
 * log by `GRPC_VERBOSITY` still gets it.
 */
export function quietGrpc(): void {
  if (process.env["GRPC_VERBOSITY"] === undefined) setLogVerbosity(logVerbosity.NONE);
}
