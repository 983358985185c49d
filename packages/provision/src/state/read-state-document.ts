import { FlareError, pathText } from "@flare-ts/contracts";

/** A schema of the contracts, as far as it is used here. */
interface Schema<T> {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: T }
    | {
        readonly success: false;
        readonly error: { readonly issues: readonly { readonly path: PropertyKey[]; readonly message: string }[] };
      };
}

/**
 * Reads a JSON document that may hold private keys: no message quotes a part of it.
 *
 * @throws FlareError `project/state-invalid` with the path of each mistake.
 */
export function readStateDocument<T>(text: string, file: string, schema: Schema<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The cause would quote the text around the mistake.
    throw new FlareError("project/state-invalid", `${file} is not JSON.`, { facts: { file } });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => ({ file, path: pathText(path), message }));
  throw new FlareError("project/state-invalid", `${file} does not hold what it should.`, { problems, facts: { file } });
}
