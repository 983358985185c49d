import { ApiError } from "@flare-ts/dashboard-api/contract";

/**
 * The mistakes that an answer names, by the field of the form: `body.sites[0].name` belongs to `sites.0.name`. Those without a
 * field are left out.
 */
export function fieldErrors(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  const found: Record<string, string> = {};
  for (const { path, message } of error.problems) {
    const field = (path ?? "").replace(/^body\.?/, "").replaceAll(/\[(\d+)\]/g, ".$1");
    if (field !== "" && found[field] === undefined) found[field] = message;
  }
  return found;
}

/** The mistakes that an answer names for none of the fields of a form. */
export function otherProblems(error: unknown, fields: readonly string[]): readonly string[] {
  if (!(error instanceof ApiError)) return [];
  return error.problems
    .filter(({ path }) => !fields.includes((path ?? "").replace(/^body\.?/, "").replaceAll(/\[(\d+)\]/g, ".$1")))
    .map(({ path, message }) => (path === undefined || path === "" ? message : `${path.replace(/^body\.?/, "")} ${message}`));
}
