import { z } from "zod";
import type { ComponentClass } from "./component.js";
import { jobPathSchema } from "./job-path.js";

/** What a download of a job has besides, or the folder of one that the simulator runs, and so no result can be. */
const taken = [
  "models",
  "cross_site_val",
  "receipts.json",
  "job_meta.json",
  "meta.json",
  "log.txt",
  "log.json",
  "app_server",
  "aggregates",
];

const argsSchema = z.strictObject({
  output_path: jobPathSchema.refine((path) => !taken.includes(path.split("/")[0]?.toLowerCase() ?? ""), {
    error: ({ input }) => `'${String(input)}' is where other results of a job are; FLARE's jobs write to statistics/`,
  }),
});

/** Where the result of federated statistics is put. */
export type StatisticsWriterArgs = z.output<typeof argsSchema>;

export const jsonStatsFileWriterClass: ComponentClass<StatisticsWriterArgs> = {
  name: "JsonStatsFileWriter",
  args: argsSchema,
  argNames: Object.keys(argsSchema.shape),
  refusedArgs: {},
  ignoredArgs: { json_encoder_path: "has no effect here: the result is JSON in any case" },
};
