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
  type ServerConfigDocument,
  serverConfigSchema,
  strategyOf,
} from "@flare-ts/contracts";
import { strategyProblems } from "../workflow/job-strategy.js";

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

/** Contracts do not know the aggregator, so its strategies are checked here. */
const checkedServerConfig = serverConfigSchema.superRefine(({ workflows }, context) => {
  workflows.forEach(({ args }, index) => {
    for (const { setting, message } of strategyProblems(strategyOf(args))) {
      // Without a name of its own the strategy is the one that `fedprox_mu` stands for, which is checked where it is read.
      const place = setting === undefined ? ["strategy"] : ["strategy_args", setting];
      context.addIssue({ code: "custom", path: ["workflows", index, "args", ...place], message });
    }
  });
});

/** @throws FlareError `job/invalid` with file and line of each mistake. */
export function parseJobMeta(text: string, file: string): JobDocument<JobMetaDocument> {
  const document = readDocument({ text, file, schema: jobMetaSchema, code: "job/invalid" });
  return { document, warnings: jobMetaWarnings(document) };
}

/** @throws FlareError `job/invalid` with file and line of each mistake. */
export function parseServerConfig(text: string, file: string): JobDocument<ServerConfigDocument> {
  const document = readDocument({ text, file, schema: checkedServerConfig, code: "job/invalid" });
  return { document, warnings: appConfigWarnings(document) };
}

/** @throws FlareError `job/invalid` with file and line of each mistake. */
export function parseClientConfig(text: string, file: string): JobDocument<ClientConfigDocument> {
  const document = readDocument({ text, file, schema: clientConfigSchema, code: "job/invalid" });
  return { document, warnings: appConfigWarnings(document) };
}
