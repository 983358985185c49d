import { create } from "@bufbuild/protobuf";
import { type Task, TaskSchema } from "@flare-ts/contracts/wire";
import type { TaskRecord } from "../store/server-store.js";
import { objectToWire, taskKeyToWire } from "../transport/wire-values.js";

/** A task as it is pushed to its site, with the model itself for a site that takes it so. */
export function taskToWire(task: TaskRecord, modelBytes?: Uint8Array): Task {
  return create(TaskSchema, {
    key: taskKeyToWire(task),
    model: objectToWire(task.model),
    totalRounds: task.totalRounds,
    metaJson: JSON.stringify(task.meta),
    ...(modelBytes === undefined ? {} : { modelBytes }),
  });
}
