import { contentHashSchema, FlareError } from "@flare-ts/contracts";
import { z } from "zod";
import type { ObjectRef } from "../store/model-store.js";
import type { SecureStep } from "./step-tasks.js";

const schema = z.strictObject({
  step: z.enum(["keys", "mask", "confirm", "reveal"]),
  attempt: z.int().nonnegative(),
  /** Of a task of training; steps have theirs for a model. */
  roster: z.strictObject({ hash: contentHashSchema, size: z.int().nonnegative() }).optional(),
});

/** What a task asks of a site besides training, so that updates can be added without being read. */
export interface SecureTask {
  readonly step: SecureStep;
  readonly attempt: number;
  readonly roster?: ObjectRef | undefined;
}

/** Name of the property of a task that says so. */
const property = "secure_aggregation";

/**
 * Tells what a task says of secure aggregation from what its trainer is told.
 *
 * @throws FlareError `runtime/bad-message`
 */
export function splitTaskMeta(meta: Readonly<Record<string, unknown>>): {
  readonly secure: SecureTask | undefined;
  readonly meta: Readonly<Record<string, unknown>>;
} {
  const { [property]: written, ...rest } = meta;
  if (written === undefined) return { secure: undefined, meta };
  const parsed = schema.safeParse(written);
  if (!parsed.success) throw new FlareError("runtime/bad-message", "What a task says of secure aggregation cannot be read.");
  return { secure: parsed.data, meta: rest };
}
