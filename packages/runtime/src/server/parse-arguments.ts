import { FlareError } from "@flare-ts/contracts";
import type { z } from "zod";
import type { Arguments } from "./command-gate.js";

/** Arguments of a command as its schema has them. @throws FlareError `runtime/bad-message` */
export function parseArguments<Schema extends z.ZodType>(schema: Schema, args: Arguments): z.output<Schema> {
  const parsed = schema.safeParse(args);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") ?? "";
  throw new FlareError(
    "runtime/bad-message",
    `The arguments of a command are wrong${where === "" ? "" : ` at '${where}'`}: ${issue?.message ?? ""}.`,
    { facts: { where } },
  );
}
