import { checkDocument, FlareError, type Problem } from "@flare-ts/contracts";
import { z } from "zod";

/**
 * Checks a part of a request against its schema; all mistakes are reported at once, unknown keys with the nearest known one.
 *
 * @throws FlareError `dashboard/invalid-request`
 */
export function checkInput(part: "params" | "query" | "body", schema: z.ZodType, value: unknown): unknown {
  const hostile = hostileInside(value, 0);
  if (hostile !== undefined) {
    throw new FlareError("dashboard/invalid-request", `The request has mistakes: ${part} ${hostile}.`, {
      problems: [{ path: part, message: hostile }],
    });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = problemsOf(part, schema, value);
  const said = problems.map(({ path, message }) => `${path}: ${message}`).join("; ");
  throw new FlareError("dashboard/invalid-request", `The request has mistakes: ${said}.`.slice(0, 2000), {
    problems: problems.slice(0, 50),
  });
}

/** A schema that refuses keys that it does not know, at the top, unless it is a loose one; inner objects say so themselves. */
export function withoutUnknownKeys(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodObject && schema.def.catchall === undefined ? schema.strict() : schema;
}

function problemsOf(part: string, schema: z.ZodType, value: unknown): Problem[] {
  try {
    // The reader of documents knows how to explain; a request has no lines to name.
    checkDocument({
      tree: { value: value ?? {}, locate: () => ({ file: "", line: 1, column: 1 }) },
      file: part,
      schema,
      code: "dashboard/invalid-request",
    });
  } catch (reason) {
    if (reason instanceof FlareError) {
      return reason.problems.map(({ message, path }) => ({
        message,
        path: path === undefined ? part : path.startsWith("[") ? `${part}${path}` : `${part}.${path}`,
      }));
    }
    throw reason;
  }
  return [{ message: "is missing", path: part }];
}

/** Deeper than any schema here, and far from what a stack bears. */
const deepest = 64;

/** What no schema would find: PostgreSQL keeps no U+0000 in texts, and nobody types one. */
function hostileInside(value: unknown, depth: number): string | undefined {
  if (typeof value === "string") return value.includes("\0") ? "holds the character U+0000" : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  if (depth >= deepest) return "is nested too deep";
  for (const [key, inner] of Object.entries(value)) {
    const found = hostileInside(key, depth + 1) ?? hostileInside(inner, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
