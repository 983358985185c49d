import { z } from "zod";
import { type ClientApiExecutorSettings, clientApiExecutorClass, compileClientApiExecutor } from "./client-api-executor.js";
import type { ComponentClass } from "./component.js";
import { seconds } from "./seconds.js";
import type { StatisticsGenerator } from "./statistics-generator.js";

const argsSchema = z
  .strictObject({
    generator_id: z.string().min(1),
    launch_timeout: seconds.optional(),
    stall_timeout: seconds.optional(),
    stop_grace_period: seconds.optional(),
    max_restarts: z.int().min(0).max(1000).optional(),
  })
  .transform((args) => ({ kind: "StatisticsExecutor" as const, ...args }));

/** Arguments of StatisticsExecutor as a job writes them. */
export type StatisticsExecutorArgs = z.output<typeof argsSchema>;

/** FLARE's executor of statistics: it needs no script, as the component that it names computes them. */
export const statisticsExecutorClass: ComponentClass<StatisticsExecutorArgs> = {
  name: "StatisticsExecutor",
  args: argsSchema,
  argNames: ["generator_id", "launch_timeout", "stall_timeout", "stop_grace_period", "max_restarts"],
  refusedArgs: {},
  ignoredArgs: { precision: "has no effect here: numbers are rounded once, in the result, by the workflow's 'precision'" },
};

/** Settings from checked arguments: an executor whose program is ours, and asks the component. */
export function compileStatisticsExecutor(args: StatisticsExecutorArgs, generator: StatisticsGenerator): ClientApiExecutorSettings {
  const { kind: _, generator_id: __, ...given } = args;
  // Whatever a program of its own would be: the launch below takes its place.
  const settings = compileClientApiExecutor(clientApiExecutorClass.args.parse({ ...given, command: "python3" }));
  return Object.freeze({ ...settings, launch: Object.freeze({ kind: "statistics" as const, generator }) });
}
