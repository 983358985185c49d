import type { z } from "zod";

/** A form's check by the schema of the route that it will call: the first mistake of each field. */
export function validateBy(schema: z.ZodType): (values: unknown) => Record<string, string> {
  return (values) => {
    const result = schema.safeParse(values);
    if (result.success) return {};
    const found: Record<string, string> = {};
    for (const { path, message } of result.error.issues) {
      const field = path.join(".");
      found[field] ??= message;
    }
    return found;
  };
}
