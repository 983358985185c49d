import { FlareError } from "@flare-ts/contracts";

/** An error whose messages do not name a folder: where the dashboard keeps files is nobody's business. Anything else is given back as it is. */
export function withoutFolder(reason: unknown, dir: string): unknown {
  if (!(reason instanceof FlareError) || !reason.message.includes(dir)) return reason;
  const short = (text: string): string => text.replaceAll(`${dir}/`, "").replaceAll(dir, "the workspace");
  const problems = reason.problems.map((problem) => ({ ...problem, message: short(problem.message) }));
  return new FlareError(reason.code, short(reason.message), { cause: reason, problems });
}
