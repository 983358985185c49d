import type { SerializedFlareError } from "@flare-ts/contracts";

/** What a trainer printed may hold patients' data: it stays in the site's log, and the server is told that it is there. */
export function withoutOutput(error: SerializedFlareError): SerializedFlareError {
  const { output, stack, ...facts } = error.facts ?? {};
  if (output === undefined && stack === undefined) return error;
  return { ...error, facts: { ...facts, output: "in the site's log" } };
}
