import {
  appConfigWarnings,
  type ClientConfigDocument,
  clientConfigSchema,
  type JobMetaDocument,
  jobMetaSchema,
  jobMetaWarnings,
  type Problem,
  type ReadDocument,
  readDocument,
} from "@flare-ts/contracts";

/** A document of a job with what is accepted in it but has no effect. */
export interface JobDocument<T> {
  readonly document: ReadDocument<T>;
  readonly warnings: readonly Problem[];
}

/** Endings that a document of a job may have, in the order in which they are looked for. */
export const documentEndings = [".json", ".yml", ".yaml"] as const;

/** Base names, without ending. */
export const documentNames = {
  meta: "meta",
  server: "config/config_fed_server",
  client: "config/config_fed_client",
} as const;

/** @throws FlareError `job/invalid` with file and line of each mistake. */
export function parseJobMeta(text: string, file: string): JobDocument<JobMetaDocument> {
  const document = readDocument({ text, file, schema: jobMetaSchema, code: "job/invalid" });
  return { document, warnings: jobMetaWarnings(document) };
}

/** @throws FlareError `job/invalid` with file and line of each mistake. */
export function parseClientConfig(text: string, file: string): JobDocument<ClientConfigDocument> {
  const document = readDocument({ text, file, schema: clientConfigSchema, code: "job/invalid" });
  return { document, warnings: appConfigWarnings(document) };
}
