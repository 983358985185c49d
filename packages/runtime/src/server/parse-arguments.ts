import { FlareError } from "@flare-ts/contracts";
import type { z } from "zod";
import type { Arguments } from "./command-gate.js";

/** Arguments of a command as its schema has them. @throws FlareError `runtime/invalid-argument` */
export function parseArguments<Schema extends z.ZodType>(schema: Schema, args: Arguments): z.output<Schema> {
  const parsed = schema.safeParse(args);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") ?? "";
  throw new FlareError(
    "runtime/invalid-argument",
    `${where === "" ? "The arguments of a command are wrong" : `The argument '${where}' of a command is wrong`}: ${issue?.message ?? ""}.`,
    { facts: { where } },
  );
}
