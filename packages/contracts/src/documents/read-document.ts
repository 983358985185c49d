import type { z } from "zod";
import type { ErrorCode } from "../errors/catalogue/index.js";
import { FlareError, type Problem } from "../errors/flare-error.js";
import { nearestWord } from "../errors/nearest-word.js";
import { type DocumentTree, mistakesIn, type Position, readDocumentTree } from "./document-tree.js";
import { issueText } from "./issue-text.js";

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
    const problems = parsed.error.issues.flatMap((issue) => issueProblems(issue, { schema, value: tree.value, problemAt }));
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

interface Checked {
  readonly schema: z.ZodType;
  /** What the schema was asked about. */
  readonly value: unknown;
  readonly problemAt: (path: readonly PropertyKey[], message: string) => Problem;
}

function issueProblems(issue: z.core.$ZodIssue, checked: Checked): Problem[] {
  const { schema, problemAt } = checked;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const near = nearestWord(key, knownKeysAt(schema, issue.path));
      return problemAt([...issue.path, key], `unknown key '${key}'${near === undefined ? "" : `; did you mean '${near}'?`}`);
    });
  }
  if (issue.code === "invalid_union") {
    const branch = issue.errors.toSorted((a, b) => nearness(b) - nearness(a))[0];
    // A text of the schema's own says more than that the value itself is wrong, and less than what is wrong below it.
    if (branch !== undefined && nearness(branch) > (issue.message === "Invalid input" ? 0 : 1)) {
      return branch.flatMap((inner) => issueProblems({ ...inner, path: [...issue.path, ...inner.path] }, checked));
    }
  }
  const key = issue.path.at(-1);
  const isOfType = issue.code === "invalid_type" || issue.code === "invalid_value" || issue.code === "invalid_union";
  const isMissing = isOfType && typeof key === "string" && valueAt(checked.value, issue.path) === undefined;
  const meant = isMissing ? slipFor(key, issue.path.slice(0, -1), checked) : undefined;
  const text = issueText(issue, isMissing);
  return [problemAt(issue.path, meant === undefined ? text : `${text}; did you mean it by '${meant}'?`)];
}

/** The key that was probably written in place of one that is missing. One that the schema refuses has its own mistake already. */
function slipFor(missing: string, path: readonly PropertyKey[], { schema, value }: Checked): string | undefined {
  const parent = valueAt(value, path);
  if (typeof parent !== "object" || parent === null || isStrictAt(schema, path)) return undefined;
  const known = new Set(knownKeysAt(schema, path));
  return nearestWord(
    missing,
    Object.keys(parent).filter((key) => !known.has(key)),
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Readonly<Record<PropertyKey, unknown>>)[part];
  }
  return at;
}

/** How near a value is to the member of a union that has these issues with it: 0 where it is of another kind. */
function nearness(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map(nearnessWith));
}

function nearnessWith(issue: z.core.$ZodIssue): number {
  if (issue.path.length > 0) return issue.path.length + 1;
  if (issue.code === "invalid_union") return Math.max(0, ...issue.errors.map(nearness));
  if (issue.code === "unrecognized_keys") return 2;
  return issue.code === "invalid_type" || issue.code === "invalid_value" ? 0 : 1;
}

/** Keys that the schema knows at a path; unions contribute the keys of all their members. */
function knownKeysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  return nodesAt(schema, path).flatMap((node) => Object.keys((node.def as { shape?: object }).shape ?? {}));
}

/** Whether unknown keys are refused there. */
function isStrictAt(schema: z.ZodType, path: readonly PropertyKey[]): boolean {
  return nodesAt(schema, path).some((node) => (node.def as { catchall?: z.ZodType }).catchall?.def.type === "never");
}

function nodesAt(schema: z.ZodType, path: readonly PropertyKey[]): SchemaNode[] {
  let nodes = unwrap(schema);
  for (const part of path) {
    nodes = nodes.flatMap((node) => {
      const def = node.def as { shape?: Record<string, z.ZodType>; element?: z.ZodType; valueType?: z.ZodType };
      const next = typeof part === "number" ? def.element : (def.shape?.[String(part)] ?? def.valueType);
      return next === undefined ? [] : unwrap(next);
    });
  }
  return nodes;
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
