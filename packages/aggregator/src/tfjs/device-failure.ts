import { FlareError } from "@flare-ts/contracts/errors";

/**
 * How TensorFlow, through tfjs-node, says that there is no room: its status RESOURCE_EXHAUSTED, what it says where an upload
 * finds none, and what V8 says where an array for results finds none.
 */
const noRoom = /\bTF_Status: 8\b|\bOOM when allocating\b|Dst tensor is not initialized|out of memory|Array buffer allocation failed/i;

/** What a computation on TensorFlow.js failed with, as devices say it: `aggregate/device-memory` or `aggregate/device-lost`. */
export function deviceFailure(cause: unknown): FlareError {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (noRoom.test(message)) {
    return new FlareError("aggregate/device-memory", "TensorFlow has no room on its device for a part of the aggregation.", { cause });
  }
  return new FlareError("aggregate/device-lost", `TensorFlow does not compute any more: ${firstLines(message)}`, { cause });
}

function firstLines(message: string): string {
  return message.split("\n").slice(0, 3).join(" ").slice(0, 500);
}
