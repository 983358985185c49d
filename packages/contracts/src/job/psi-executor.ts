import { z } from "zod";
import { type ClientApiExecutorSettings, clientApiExecutorClass, compileClientApiExecutor } from "./client-api-executor.js";
import type { ComponentClass } from "./component.js";
import type { PsiItems } from "./psi-launch.js";
import { seconds } from "./seconds.js";

const argsSchema = z.strictObject({
  psi_algo_id: z.string().min(1),
  launch_timeout: seconds.optional(),
  stall_timeout: seconds.optional(),
  stop_grace_period: seconds.optional(),
  max_restarts: z.int().min(0).max(1000).optional(),
});

/** Arguments of PSIExecutor as a job writes them. */
export type PsiExecutorArgs = z.output<typeof argsSchema> & { readonly kind: "PSIExecutor" };

/** FLARE's executor of private set intersections: it needs no script, as the components that it leads to have the identifiers. */
export const psiExecutorClass: ComponentClass<PsiExecutorArgs> = {
  name: "PSIExecutor",
  args: argsSchema.transform((args) => ({ kind: "PSIExecutor" as const, ...args })),
  argNames: Object.keys(argsSchema.shape),
  refusedArgs: {},
};

/** Settings from checked arguments: an executor whose program is ours, and blinds what the component has. */
export function compilePsiExecutor(args: PsiExecutorArgs, items: PsiItems): ClientApiExecutorSettings {
  const { kind: _, psi_algo_id: __, ...given } = args;
  // Whatever a program of its own would be: the launch below takes its place.
  const settings = compileClientApiExecutor(clientApiExecutorClass.args.parse({ ...given, command: "node" }));
  return Object.freeze({ ...settings, launch: Object.freeze({ kind: "psi" as const, items }) });
}
