import type { FlareError, Json, Problem } from "@flare-ts/contracts";

/** FLARE's JSON envelope around the result of a command. */
export type Envelope =
  | { readonly schema_version: "1"; readonly status: "ok"; readonly exit_code: 0; readonly data: Json }
  | {
      readonly schema_version: "1";
      readonly status: "error";
      readonly exit_code: number;
      readonly error_code: string;
      readonly message: string;
      readonly hint: string;
      readonly problems?: readonly Problem[];
      readonly facts?: { readonly [key: string]: Json };
    };

/** The envelope of a command that did what it was asked. */
export function okEnvelope(data: Json): Envelope {
  return { schema_version: "1", status: "ok", exit_code: 0, data };
}

/** The envelope of a command that failed. */
export function errorEnvelope(error: FlareError, exitCode: number): Envelope {
  return {
    schema_version: "1",
    status: "error",
    exit_code: exitCode,
    error_code: error.code,
    message: error.message,
    hint: error.row.todo,
    ...(error.problems.length > 0 ? { problems: error.problems } : {}),
    ...(Object.keys(error.facts).length > 0 ? { facts: error.facts } : {}),
  };
}
