import type { z } from "zod";
import type { ErrorCode } from "../errors/catalogue/index.js";
import { FlareError, type Problem } from "../errors/flare-error.js";
import { nearestWord } from "../errors/nearest-word.js";
import { type DocumentTree, mistakesIn, type Position, readDocumentTree } from "./document-tree.js";

/** A document that was read and found right. */
export interface ReadDocument<T> {
  readonly value: T;
  /** Position of the nearest existing node for a path of keys and indexes. */
  locate(path: readonly PropertyKey[]): Position;
  /** Builds a problem that stands at a path, for checks that a schema cannot make. */
  readonly problemAt: (path: readonly PropertyKey[], message: string) => Problem;
}

export interface ReadDocumentInit<T> {
  readonly text: string;
  /** Name of the file, as the person knows it. */
  readonly file: string;
  readonly schema: z.ZodType<T>;
  /** Code of the error that lists the mistakes. @default "document/invalid" */
  readonly code?: ErrorCode;
}

/**
 * Reads YAML or JSON that a person wrote, checks it against a schema, and reports all mistakes at once, each with file,
 * line and column; an unknown key comes with the nearest known one. JSON is read as the subset of YAML that it is.
 *
 * @throws FlareError with `init.code`, one problem per mistake.
 */
export function readDocument<T>({ text, file, schema, code = "document/invalid" }: ReadDocumentInit<T>): ReadDocument<T> {
  return checkDocument({ tree: readDocumentTree({ text, file, code }), file, schema, code });
}

/**
 * Checks a document that was put together from several files, as `readDocument` does with the text of one.
 *
 * @throws FlareError with `init.code`, one problem per mistake.
 */
export function checkDocument<T>(init: {
  readonly tree: DocumentTree;
  /** Name of the main file, for the error as a whole. */
  readonly file: string;
  readonly schema: z.ZodType<T>;
  readonly code: ErrorCode;
}): ReadDocument<T> {
  const { tree, file, schema, code } = init;
  const problemAt = (path: readonly PropertyKey[], message: string): Problem => ({
    ...tree.locate(path),
    ...(path.length > 0 ? { path: pathText(path) } : {}),
    message,
  });
  if (tree.value === null) throw new FlareError(code, mistakesIn(file, [empty(file)]), { problems: [empty(file)], facts: { file } });
  // A document is read once, so that generating code for its schema first would only take time.
  const parsed = schema.safeParse(tree.value, { jitless: true });
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => issueProblems(issue, schema, problemAt));
    throw new FlareError(code, mistakesIn(file, problems), { problems, facts: { file } });
  }
  const locate = (path: readonly PropertyKey[]): Position => {
    const { line, column } = tree.locate(path);
    return { line, column };
  };
  return { value: parsed.data, locate, problemAt };
}

/** `a[0].b` for `["a", 0, "b"]`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.map((part, i) => (typeof part === "number" ? `[${part}]` : `${i === 0 ? "" : "."}${String(part)}`)).join("");
}

function empty(file: string): Problem {
  return { file, line: 1, column: 1, message: "the file is empty" };
}

function issueProblems(
  issue: z.core.$ZodIssue,
  schema: z.ZodType,
  problemAt: (path: readonly PropertyKey[], message: string) => Problem,
): Problem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const near = nearestWord(key, knownKeysAt(schema, issue.path));
      return problemAt([...issue.path, key], `unknown key '${key}'${near === undefined ? "" : `; did you mean '${near}'?`}`);
    });
  }
  if (issue.code === "invalid_union") {
    const branch = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0];
    if (branch !== undefined && branch.length > 0 && depth(branch) > 0) {
      return branch.flatMap((inner) => issueProblems({ ...inner, path: [...issue.path, ...inner.path] }, schema, problemAt));
    }
  }
  return [problemAt(issue.path, issue.message)];
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length));
}

/** Keys that the schema knows at a path; unions contribute the keys of all their members. */
function knownKeysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let nodes = unwrap(schema);
  for (const part of path) {
    nodes = nodes.flatMap((node) => {
      const def = node.def as { shape?: Record<string, z.ZodType>; element?: z.ZodType; valueType?: z.ZodType };
      const next = typeof part === "number" ? def.element : (def.shape?.[String(part)] ?? def.valueType);
      return next === undefined ? [] : unwrap(next);
    });
  }
  return nodes.flatMap((node) => Object.keys((node.def as { shape?: object }).shape ?? {}));
}

interface SchemaNode {
  readonly def: { readonly type: string };
}

function unwrap(schema: z.ZodType): SchemaNode[] {
  const def = schema.def as { type: string; innerType?: z.ZodType; in?: z.ZodType; options?: z.ZodType[]; getter?: () => z.ZodType };
  if (def.innerType !== undefined) return unwrap(def.innerType);
  if (def.type === "pipe" && def.in !== undefined) return unwrap(def.in);
  if (def.type === "lazy" && def.getter !== undefined) return unwrap(def.getter());
  if (def.options !== undefined) return def.options.flatMap(unwrap);
  return [schema];
}
