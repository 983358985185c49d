import { z } from "zod";
import type { ComponentClass } from "./component.js";
import { jobPathSchema } from "./job-path.js";
import { seconds } from "./seconds.js";
import { splitCommand } from "./split-command.js";

/** How the trainer is started; the working folder is the app's `custom/`. */
export type TrainerLaunch =
  | {
      readonly kind: "script";
      /** Relative to `custom/`; the ending says what runs it. */
      readonly path: string;
      readonly args: readonly string[];
    }
  | {
      readonly kind: "command";
      /** The program and its arguments; no shell. */
      readonly command: readonly string[];
    };

/** Settings of the executor ClientAPIExecutor, complete. */
export interface ClientApiExecutorSettings {
  readonly kind: "ClientAPIExecutor";
  readonly launch: TrainerLaunch;
  /** One trainer for the whole job, or a new one for each task. */
  readonly isLaunchedOnce: boolean;
  /** Time that a trainer has to say hello after it was started. */
  readonly launchTimeoutMs: number;
  /** Time between the request to stop and the kill. */
  readonly stopGracePeriodMs: number;
  /** Name of the task that is training. */
  readonly trainTaskName: string;
  /** What the site sends: a whole model, or the difference to the one it was given; `undefined`: as the trainer sends it. */
  readonly paramsTransferType: "FULL" | "DIFF" | undefined;
  /** Starts of a trainer that died, within one task, before the task fails. */
  readonly maxRestarts: number;
  /** Environment of the trainer, on top of the job process's. */
  readonly env: Readonly<Record<string, string>>;
}

const wordsSchema = z
  .union([z.string(), z.array(z.string())], { error: "must be a text or a list of texts" })
  .transform((value, context) => {
    if (typeof value !== "string") return value;
    const words = splitCommand(value);
    if (words === undefined) context.addIssue({ code: "custom", message: "has a quote or a backslash that is not closed" });
    return words ?? [];
  });

const executionMode = z.unknown().superRefine((mode, context) => {
  if (mode === "external_process") return;
  const message =
    mode === "in_process" || mode === "attach"
      ? `execution_mode '${mode}' is not supported yet; use 'external_process'`
      : "must be 'external_process'";
  context.addIssue({ code: "custom", message });
});

const argsSchema = z
  .strictObject({
    execution_mode: executionMode.default("external_process"),
    task_script_path: jobPathSchema.optional(),
    task_script_args: wordsSchema.optional(),
    command: wordsSchema.refine((words) => (words[0] ?? "") !== "", "is empty").optional(),
    launch_once: z.boolean().default(true),
    launch_timeout: seconds.default(300),
    stop_grace_period: seconds.default(30),
    train_task_name: z.string().min(1).default("train"),
    params_transfer_type: z.enum(["FULL", "DIFF"]).optional(),
    max_restarts: z.int().min(0).max(1000).default(3),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is not a name of a variable"), z.string()).default({}),
  })
  .superRefine((args, context) => {
    const complain = (path: string, message: string): void => context.addIssue({ code: "custom", path: [path], message });
    if (args.task_script_path === undefined && args.command === undefined)
      complain("task_script_path", "give either task_script_path or command");
    if (args.task_script_path !== undefined && args.command !== undefined)
      complain("command", "give either task_script_path or command, not both");
    if (args.task_script_args !== undefined && args.task_script_path === undefined) complain("task_script_args", "needs task_script_path");
  });

/** Arguments of ClientAPIExecutor as a job writes them. */
export type ClientApiExecutorArgs = z.output<typeof argsSchema>;

const notYet = "is FLARE's and not supported yet; remove it";
const alwaysSafetensors = "models are always safetensors files; remove it";

export const clientApiExecutorClass: ComponentClass<ClientApiExecutorArgs> = {
  name: "ClientAPIExecutor",
  args: argsSchema,
  argNames: Object.keys(argsSchema.shape),
  refusedArgs: {
    heartbeat_interval: notYet,
    heartbeat_timeout: notYet,
    shutdown_timeout: "use 'stop_grace_period'",
    task_wait_timeout: notYet,
    result_wait_timeout: "a task ends when the trainer stops making progress, or at the round's deadline; remove it",
    evaluate_task_name: notYet,
    submit_model_task_name: notYet,
    train_with_evaluation: notYet,
    params_exchange_format: alwaysSafetensors,
    server_expected_format: alwaysSafetensors,
    memory_gc_rounds: notYet,
    cuda_empty_cache: notYet,
    attach_id: notYet,
    attach_timeout: notYet,
    allow_reconnect: notYet,
  },
};

/** Settings from checked arguments. */
export function compileClientApiExecutor(args: ClientApiExecutorArgs): ClientApiExecutorSettings {
  const { task_script_path: script, command = [] } = args;
  return Object.freeze({
    kind: "ClientAPIExecutor",
    launch: Object.freeze<TrainerLaunch>(
      script === undefined ? { kind: "command", command } : { kind: "script", path: script, args: args.task_script_args ?? [] },
    ),
    isLaunchedOnce: args.launch_once,
    launchTimeoutMs: args.launch_timeout * 1000,
    stopGracePeriodMs: args.stop_grace_period * 1000,
    trainTaskName: args.train_task_name,
    paramsTransferType: args.params_transfer_type,
    maxRestarts: args.max_restarts,
    env: Object.freeze({ ...args.env }),
  });
}
