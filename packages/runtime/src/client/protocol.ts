import type { Json, SerializedFlareError } from "@flare-ts/contracts/errors";
import type { Metrics, ParamsType } from "../job/job-event.js";

/** Version of the protocol between job process and trainer; `docs/client-api-protocol.md` is its text. */
export const protocolVersion = 1;

/** Environment variable that holds the path of the bootstrap file. */
export const bootstrapVariable = "FLARE_CLIENT_API_BOOTSTRAP";

/** The same for what a launcher such as `flare-client launch` starts, which has a bootstrap file of the launcher's. */
export const launcherVariable = "FLARE_CLIENT_API_LAUNCHER_BOOTSTRAP";

/** Key of `meta` that gives a result its weight; FLARE's name. */
export const weightKey = "NUM_STEPS_CURRENT_ROUND";

/** Longest line on the channel, in bytes without the line feed. */
export const maxLineBytes = 1024 * 1024;

/** Plain JSON that travels with a task or a result. */
export type Meta = { readonly [key: string]: Json };

/** What the job process writes for the trainer before it starts it. */
export interface Bootstrap {
  readonly protocol_version: number;
  /** Where the channel is: `fd:<n>`. */
  readonly channel: string;
  readonly job_id: string;
  readonly site_name: string;
  /** Data sets of this site: name to path. */
  readonly datasets: Readonly<Record<string, string>>;
}

/** First message, from the trainer. */
export interface HelloMessage {
  readonly type: "hello";
  readonly protocol_version: number;
  /** Name and version of the client library. */
  readonly client: string;
  /** Whether it sends `heartbeat`: only such a trainer is ended for want of progress. */
  readonly heartbeats?: boolean;
  /** Signal upon which it writes where its threads stand to its output. */
  readonly stack_signal?: string;
}

/** Every `heartbeatMs`, from a place that stops when the process does. */
export interface HeartbeatMessage {
  readonly type: "heartbeat";
  /** Whether the training has moved since the last one, as far as the client can tell. */
  readonly moved: boolean;
}

/** The script says that it moves. From the first one of a task on, heartbeats do not count as progress of it. */
export interface ProgressMessage {
  readonly type: "progress";
  /** Steps of the task that are done, and in all, where the script counts them. */
  readonly done?: number;
  readonly total?: number;
  /** What it does, for people. */
  readonly note?: string;
}

/** A result; the file has been written and closed before. */
export interface ResultMessage {
  readonly type: "result";
  readonly task_id: string;
  /** Absolute path of a safetensors file directly inside `result_folder`. */
  readonly path: string;
  readonly params_type: ParamsType;
  /** Steps or samples that the result stands for; positive and finite. */
  readonly weight: number;
  readonly metrics: Metrics;
  readonly meta: Meta;
}

/** A metric to be shown while training goes on. */
export interface LogMessage {
  readonly type: "log";
  readonly key: string;
  readonly value: number;
  readonly round?: number;
  /** The script's own count. */
  readonly step?: number;
}

export type TrainerMessage = HelloMessage | HeartbeatMessage | ProgressMessage | ResultMessage | LogMessage;

/** Answer to `hello`. */
export interface WelcomeMessage {
  readonly type: "welcome";
  readonly protocol_version: number;
  readonly job_id: string;
  readonly job_name: string;
  readonly site_name: string;
  /** What the job wants to carry to the server; the client makes the difference where it is DIFF. */
  readonly params_transfer_type: ParamsType;
  /** Names of the tasks that mean training. */
  readonly train_task_names: readonly string[];
  /** The same for evaluation alone, and for the site's own best model. Job processes before this release do not say them. */
  readonly evaluate_task_names?: readonly string[];
  readonly submit_model_task_names?: readonly string[];
  /** Seconds between two heartbeats. Job processes before this release do not say it, and need none. */
  readonly heartbeat_seconds?: number;
  /** Garbage is collected after so many rounds; 0 or nothing: as the language does. */
  readonly memory_gc_rounds?: number;
  readonly cuda_empty_cache?: boolean;
  readonly datasets: Readonly<Record<string, string>>;
  /** Folder for the files of results. */
  readonly result_folder: string;
  /** Folder for what a trainer needs when it is started anew. Job processes before this release do not say it, and have none. */
  readonly state_folder?: string;
}

export interface TaskMessage {
  readonly type: "task";
  /** Opaque; comes back in the result. */
  readonly task_id: string;
  readonly task_name: string;
  /** Absolute path of a safetensors file that must only be read. */
  readonly model_path: string;
  readonly current_round: number;
  readonly start_round: number;
  readonly total_rounds: number;
  readonly meta: Meta;
}

/** The round went on without this site; a result is no longer wanted. */
export interface CancelMessage {
  readonly type: "cancel";
  readonly task_id: string;
}

/** The result is durable at the site (`accepted`), or came too late to be wanted. */
export interface ResultAckMessage {
  readonly type: "result_ack";
  readonly task_id: string;
  readonly accepted: boolean;
}

/** The result cannot be taken; the task stays open. */
export interface ResultRefusedMessage {
  readonly type: "result_refused";
  readonly task_id: string;
  readonly error: SerializedFlareError;
}

export interface StopMessage {
  readonly type: "stop";
  readonly reason: string;
}

/** The other side broke the protocol; the sender closes the channel after it. */
export interface ErrorMessage {
  readonly type: "error";
  readonly error: SerializedFlareError;
}

export type JobMessage =
  | WelcomeMessage
  | TaskMessage
  | CancelMessage
  | ResultAckMessage
  | ResultRefusedMessage
  | StopMessage
  | ErrorMessage;
