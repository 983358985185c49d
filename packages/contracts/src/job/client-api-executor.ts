import { z } from "zod";
import { siteNameSchema } from "../ids/names.js";
import type { ComponentClass } from "./component.js";
import { jobPathSchema } from "./job-path.js";
import type { PsiItems } from "./psi-launch.js";
import { seconds } from "./seconds.js";
import { splitCommand } from "./split-command.js";
import type { StatisticsGenerator } from "./statistics-generator.js";

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
    }
  | {
      /** Nothing is started: a trainer that somebody starts by hand finds the job. */
      readonly kind: "attach";
      /** Name by which it is found; `undefined`: the job's id. */
      readonly attachId: string | undefined;
      /** Whether another trainer may take the place of one that went. */
      readonly isReconnectAllowed: boolean;
    }
  | {
      /** Our own program, which has a class in Python compute statistics. */
      readonly kind: "statistics";
      readonly generator: StatisticsGenerator;
    }
  | {
      /** Our own program, which takes the site's part in a private set intersection. */
      readonly kind: "psi";
      readonly items: PsiItems;
    };

/** A value of a trainer's environment: a text, or the name of a secret that the site's operator keeps. */
export type EnvValue = string | { readonly from_secret: string };

/** Settings of the executor ClientAPIExecutor, complete. */
export interface ClientApiExecutorSettings {
  readonly kind: "ClientAPIExecutor";
  readonly launch: TrainerLaunch;
  /** One trainer for the whole job, or a new one for each task. */
  readonly isLaunchedOnce: boolean;
  /** Time that a trainer has to say hello after it was started, or to attach. `undefined`: the stall time. */
  readonly launchTimeoutMs: number | undefined;
  /** A training step without progress for so long is given up; `undefined`, or longer than the site's: the site's. */
  readonly stallTimeoutMs: number | undefined;
  /** Time between the request to stop and the kill. */
  readonly stopGracePeriodMs: number;
  /** Name of the task that is training. */
  readonly trainTaskName: string;
  /** Names of the tasks that are evaluation, and submission of the site's own best model. */
  readonly evaluateTaskName: string;
  readonly submitModelTaskName: string;
  /** What the site sends: a whole model, or the difference to the one it was given; `undefined`: as the trainer sends it. */
  readonly paramsTransferType: "FULL" | "DIFF" | undefined;
  /** Starts of a trainer that died, within one task, before the task fails. */
  readonly maxRestarts: number;
  /** Environment of the trainer, on top of the job process's. */
  readonly env: Readonly<Record<string, EnvValue>>;
  /** A trainer in Python collects garbage after every so many rounds; 0: it is left to Python. */
  readonly memoryGcRounds: number;
  /** Whether a trainer in PyTorch also gives up the GPU memory that it keeps in reserve. */
  readonly isCudaCacheEmptied: boolean;
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
  if (mode === "external_process" || mode === "attach") return;
  const message =
    mode === "in_process"
      ? "execution_mode 'in_process' is not there: a trainer always has a process of its own; use 'external_process'"
      : "must be 'external_process' or 'attach'";
  context.addIssue({ code: "custom", message });
});

const envValue = z.unknown().transform((value, context): EnvValue => {
  if (typeof value === "string") return value;
  const reference = z.strictObject({ from_secret: siteNameSchema }).safeParse(value);
  if (reference.success) return reference.data;
  const isOutsideReference = typeof value === "object" && value !== null && ("from_file" in value || "from_env" in value);
  context.addIssue({
    code: "custom",
    message: isOutsideReference
      ? 'a job cannot name files or variables of a site; the site\'s operator names the secret in local/resources.json, and the job says { "from_secret": "<name>" }'
      : 'must be a text or { "from_secret": "<name>" }',
  });
  return z.NEVER;
});

const argsSchema = z
  .strictObject({
    execution_mode: executionMode.default("external_process"),
    task_script_path: jobPathSchema.optional(),
    task_script_args: wordsSchema.optional(),
    command: wordsSchema.refine((words) => (words[0] ?? "") !== "", "is empty").optional(),
    launch_once: z.boolean().default(true),
    launch_timeout: seconds.optional(),
    stall_timeout: seconds.optional(),
    attach_id: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, "may hold letters, digits, _, . and - only, 64 at most")
      .optional(),
    attach_timeout: seconds.optional(),
    allow_reconnect: z.boolean().optional(),
    stop_grace_period: seconds.default(30),
    train_task_name: z.string().min(1).default("train"),
    evaluate_task_name: z.string().min(1).default("validate"),
    submit_model_task_name: z.string().min(1).default("submit_model"),
    params_transfer_type: z.enum(["FULL", "DIFF"]).optional(),
    max_restarts: z.int().min(0).max(1000).default(3),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is not a name of a variable"), envValue).default({}),
    memory_gc_rounds: z.int().min(0).max(1_000_000).default(0),
    cuda_empty_cache: z.boolean().default(false),
  })
  .superRefine((args, context) => {
    const complain = (path: string, message: string): void => context.addIssue({ code: "custom", path: [path], message });
    if (args.execution_mode === "attach") {
      for (const name of ["task_script_path", "command", "launch_timeout"] as const)
        if (args[name] !== undefined) complain(name, `nothing is started where execution_mode is 'attach'; remove ${name}`);
      if (Object.keys(args.env).length > 0) complain("env", "nothing is started where execution_mode is 'attach'; remove env");
      return;
    }
    for (const name of ["attach_id", "attach_timeout", "allow_reconnect"] as const)
      if (args[name] !== undefined) complain(name, "needs execution_mode 'attach'");
    if (args.task_script_path === undefined && args.command === undefined)
      complain("task_script_path", "give either task_script_path or command");
    if (args.task_script_path !== undefined && args.command !== undefined)
      complain("command", "give either task_script_path or command, not both");
    if (args.task_script_args !== undefined && args.task_script_path === undefined) complain("task_script_args", "needs task_script_path");
  });

/** Arguments of ClientAPIExecutor as a job writes them. */
export type ClientApiExecutorArgs = z.output<typeof argsSchema>;

const alwaysSafetensors = "models are always safetensors files; remove it";

export const clientApiExecutorClass: ComponentClass<ClientApiExecutorArgs> = {
  name: "ClientAPIExecutor",
  args: argsSchema,
  argNames: Object.keys(argsSchema.shape),
  refusedArgs: {
    shutdown_timeout: "use 'stop_grace_period'",
    params_exchange_format: alwaysSafetensors,
    server_expected_format: alwaysSafetensors,
  },
  ignoredArgs: {
    heartbeat_interval:
      "has no effect here; trainers say every few seconds whether they move, and 'stall_timeout' says for how long they may not",
    heartbeat_timeout: "has no effect here; 'stall_timeout' is the one setting for what makes no progress",
    task_wait_timeout: "has no effect here; a trainer waits for the next task for as long as the job runs",
    result_wait_timeout: "has no effect here; a task ends when its trainer makes no progress for the stall time, or with its round",
    train_with_evaluation: "has no effect here; metrics are taken whenever the script sends some",
  },
};

/** Settings from checked arguments. */
export function compileClientApiExecutor(args: ClientApiExecutorArgs): ClientApiExecutorSettings {
  const { attach_timeout: attach, launch_timeout: launch } = args;
  return Object.freeze({
    kind: "ClientAPIExecutor",
    launch: Object.freeze(launchOf(args)),
    isLaunchedOnce: args.launch_once,
    launchTimeoutMs: milliseconds(args.execution_mode === "attach" ? attach : launch),
    stallTimeoutMs: milliseconds(args.stall_timeout),
    stopGracePeriodMs: args.stop_grace_period * 1000,
    trainTaskName: args.train_task_name,
    evaluateTaskName: args.evaluate_task_name,
    submitModelTaskName: args.submit_model_task_name,
    paramsTransferType: args.params_transfer_type,
    maxRestarts: args.max_restarts,
    env: Object.freeze({ ...args.env }),
    memoryGcRounds: args.memory_gc_rounds,
    isCudaCacheEmptied: args.cuda_empty_cache,
  });
}

function launchOf({
  execution_mode: mode,
  task_script_path: script,
  task_script_args = [],
  command = [],
  attach_id: attachId,
  allow_reconnect = true,
}: ClientApiExecutorArgs): TrainerLaunch {
  if (mode === "attach") return { kind: "attach", attachId, isReconnectAllowed: allow_reconnect };
  return script === undefined ? { kind: "command", command } : { kind: "script", path: script, args: task_script_args };
}

function milliseconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 1000);
}
