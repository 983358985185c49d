import { create } from "@bufbuild/protobuf";
import { FlareError, isContentHash } from "@flare-ts/contracts";
import { ObjectRefSchema, TaskKeySchema, type ObjectRef as WireObjectRef, type TaskKey as WireTaskKey } from "@flare-ts/contracts/wire";
import type { TaskKey } from "../job/job-event.js";
import type { ObjectRef } from "../store/model-store.js";
import type { ChunkForm } from "./connection.js";

/** The object that a message names. @throws FlareError `runtime/bad-message` */
export function objectFromWire(object: WireObjectRef | undefined): ObjectRef {
  const { hash = "", size = 0n } = object ?? {};
  if (!isContentHash(hash) || size > BigInt(Number.MAX_SAFE_INTEGER))
    throw new FlareError("runtime/bad-message", "A message names no valid object.");
  return { hash, size: Number(size) };
}

export function objectToWire(object: ObjectRef): WireObjectRef {
  return create(ObjectRefSchema, { hash: object.hash, size: BigInt(object.size) });
}

/** The forms that a message lists; those of a later version are passed over. */
export function formsFromWire(forms: readonly string[]): readonly ChunkForm[] {
  return chunkForms.filter((form) => forms.includes(form));
}

/** The task that a message names. @throws FlareError `runtime/bad-message` */
export function taskKeyFromWire(key: WireTaskKey | undefined): TaskKey {
  if (key === undefined || key.jobId === "" || key.task === "") throw new FlareError("runtime/bad-message", "A message names no task.");
  const { jobId, round, task } = key;
  return { jobId, round, task };
}

export function taskKeyToWire(key: TaskKey): WireTaskKey {
  const { jobId, round, task } = key;
  return create(TaskKeySchema, { jobId, round, task });
}

/** One text for a task's key, for maps. */
export function taskKeyText(key: TaskKey): string {
  return `${key.jobId}/${key.round}/${key.task}`;
}

const chunkForms: readonly ChunkForm[] = ["zeros", "copy", "zstd"];
