import { FlareError, jobIdSchema } from "@flare-ts/contracts";

/**
 * The id of a job, as it was typed.
 *
 * @throws FlareError `cli/invalid-arguments`.
 */
export function parseJobId(text: string): string {
  const id = jobIdSchema.safeParse(text);
  if (id.success) return id.data;
  throw new FlareError("cli/invalid-arguments", `'${text}' is not the id of a job; flare job list shows the ids.`, { facts: { id: text } });
}
