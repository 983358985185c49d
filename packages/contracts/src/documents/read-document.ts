import { isMap, LineCounter, type Node, type ParsedNode, parseDocument } from "yaml";
import type { z } from "zod";
import type { ErrorCode } from "../errors/catalogue/index.js";
import { FlareError, type Problem } from "../errors/flare-error.js";
import { nearestWord } from "../errors/nearest-word.js";

/** Where a path inside a document stands in its text, 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A document that was read and found right. */
export interface ReadDocument<T> {
  readonly value: T;
  /** Position of the nearest existing node for a path of keys and indexes. */
  locate(path: readonly PropertyKey[]): Position | undefined;
  /** Builds a problem that stands at a path, for checks that a schema cannot make. */
  problemAt(path: readonly PropertyKey[], message: string): Problem;
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
export function readDocument<T>(init: ReadDocumentInit<T>): ReadDocument<T> {
  const { text, file, schema, code = "document/invalid" } = init;
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true, maxAliasCount: 100 } as never);
  const fail = (problems: readonly Problem[]): never => {
    throw new FlareError(code, summary(file, problems), { problems, facts: { file } });
  };
  if (document.errors.length > 0) {
    fail(
      document.errors.map((error) => {
        const { line, col } = lineCounter.linePos(error.pos[0]);
        return { file, line, column: col, message: error.message };
      }),
    );
  }
  const root = document.contents;
  const locate = (path: readonly PropertyKey[]): Position | undefined => locateNode(root, path, lineCounter);
  const problemAt = (path: readonly PropertyKey[], message: string): Problem => ({
    file,
    ...locate(path),
    ...(path.length > 0 ? { path: pathText(path) } : {}),
    message,
  });
  const parsed = schema.safeParse(valueOf(document, () => fail([{ file, line: 1, column: 1, message: "has too many aliases" }])));
  if (!parsed.success) fail(parsed.error.issues.flatMap((issue) => issueProblems(issue, schema, problemAt)));
  return { value: parsed.data as T, locate, problemAt };
}

/** The plain value of a document; aliases that would blow it up are refused. */
function valueOf(document: ReturnType<typeof parseDocument>, refuse: () => never): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof ReferenceError) return refuse();
    throw error;
  }
}

/** `a[0].b` for `["a", 0, "b"]`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.map((part, i) => (typeof part === "number" ? `[${part}]` : `${i === 0 ? "" : "."}${String(part)}`)).join("");
}

function summary(file: string, problems: readonly Problem[]): string {
  return problems.length === 1 ? `${file} has a mistake.` : `${file} has ${problems.length} mistakes.`;
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

function locateNode(root: ParsedNode | Node | null, path: readonly PropertyKey[], lines: LineCounter): Position | undefined {
  let node: unknown = root;
  let offset = (root as ParsedNode | null)?.range?.[0];
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => String((item.key as { value?: unknown } | null)?.value) === String(part));
      if (pair === undefined) break;
      offset = (pair.key as ParsedNode).range?.[0] ?? offset;
      node = pair.value;
    } else {
      const item: unknown = (node as { items?: unknown[] } | null)?.items?.[Number(part)];
      if (item === undefined) break;
      node = item;
      offset = (item as ParsedNode).range?.[0] ?? offset;
    }
  }
  if (offset === undefined) return undefined;
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}
