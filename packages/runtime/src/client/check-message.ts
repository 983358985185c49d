import { FlareError } from "@flare-ts/contracts/errors";
import type { RawMessage } from "./line-channel.js";
import type { JobMessage, TrainerMessage } from "./protocol.js";

type Check = (value: unknown) => boolean;
type Fields = Readonly<Record<string, Check>>;

const text: Check = (value) => typeof value === "string";
const finite: Check = (value) => typeof value === "number" && Number.isFinite(value);
const flag: Check = (value) => typeof value === "boolean";
const record: Check = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const texts: Check = (value) => Array.isArray(value) && value.every(text);
const textRecord: Check = (value) => record(value) && Object.values(value as object).every(text);
const finiteRecord: Check = (value) => record(value) && Object.values(value as object).every(finite);
const positive: Check = (value) => finite(value) && (value as number) > 0;
const paramsType: Check = (value) => value === "FULL" || value === "DIFF";
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const error: Check = (value) => record(value) && text((value as RawMessage).code) && text((value as RawMessage).message);

const jobFields: Readonly<Record<JobMessage["type"], Fields>> = {
  welcome: {
    protocol_version: finite,
    job_id: text,
    job_name: text,
    site_name: text,
    params_transfer_type: paramsType,
    train_task_names: texts,
    evaluate_task_names: optional(texts),
    submit_model_task_names: optional(texts),
    datasets: textRecord,
    result_folder: text,
    state_folder: optional(text),
  },
  task: {
    task_id: text,
    task_name: text,
    model_path: text,
    current_round: finite,
    start_round: finite,
    total_rounds: finite,
    meta: record,
  },
  cancel: { task_id: text },
  result_ack: { task_id: text, accepted: flag },
  result_refused: { task_id: text, error },
  stop: { reason: text },
  error: { error },
};

const count: Check = (value) => finite(value) && (value as number) >= 0;

const trainerFields: Readonly<Record<TrainerMessage["type"], Fields>> = {
  hello: { protocol_version: finite, client: text, heartbeats: optional(flag), stack_signal: optional(text) },
  heartbeat: { moved: flag },
  progress: { done: optional(count), total: optional(count), note: optional(text) },
  result: { task_id: text, path: text, params_type: paramsType, weight: positive, metrics: finiteRecord, meta: record },
  log: { key: text, value: finite, round: optional(finite), step: optional(finite) },
};

/**
 * A message of the job process, or `undefined` for a type that this version does not know and therefore passes over.
 *
 * @throws FlareError `client-api/protocol-violation` when a known type has a wrong field
 */
export function checkJobMessage(message: RawMessage): JobMessage | undefined {
  return checkMessage(message, jobFields) as JobMessage | undefined;
}

/** The same for a message of the trainer. @throws FlareError `client-api/protocol-violation` */
export function checkTrainerMessage(message: RawMessage): TrainerMessage | undefined {
  return checkMessage(message, trainerFields) as TrainerMessage | undefined;
}

function checkMessage(message: RawMessage, known: Readonly<Record<string, Fields>>): unknown {
  const fields = Object.hasOwn(known, message.type) ? known[message.type] : undefined;
  if (fields === undefined) return undefined;
  for (const [field, isRight] of Object.entries(fields)) {
    if (isRight(message[field])) continue;
    throw new FlareError("client-api/protocol-violation", `The field '${field}' of a '${message.type}' message is missing or wrong.`, {
      facts: { type: message.type, field },
    });
  }
  return message;
}
