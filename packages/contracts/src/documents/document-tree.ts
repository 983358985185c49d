import { isMap, LineCounter, type Node, type ParsedNode, parseDocument } from "yaml";
import type { ErrorCode } from "../errors/catalogue/index.js";
import { FlareError, type Problem } from "../errors/flare-error.js";

/** Where a path inside a document stands in its text, 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The plain value of a document, and where each part of it stands. */
export interface DocumentTree {
  readonly value: unknown;
  /** File and position of the nearest existing node for a path of keys and indexes. */
  locate(path: readonly PropertyKey[]): { readonly file: string } & Partial<Position>;
}

interface TreeInit {
  readonly text: string;
  /** Name of the file, as the person knows it. */
  readonly file: string;
  /** Code of the error that lists the mistakes. */
  readonly code: ErrorCode;
  /** Whether `<<` takes over the keys of another map, as it does in YAML 1.1. @default false */
  readonly hasMergeKeys?: boolean;
}

/**
 * Reads YAML, or JSON as the subset of it that it is, without looking at what it says.
 *
 * @throws FlareError with `init.code`, one problem per mistake, each with its line.
 */
export function readDocumentTree({ text, file, code, hasMergeKeys = false }: TreeInit): DocumentTree {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    // What a stranger wrote must not print.
    logLevel: "error",
    uniqueKeys: true,
    merge: hasMergeKeys,
    maxAliasCount: 100,
  } as never);
  const fail = (problems: readonly Problem[]): never => {
    throw new FlareError(code, mistakesIn(file, problems), { problems, facts: { file } });
  };
  if (document.errors.length > 0) {
    fail(
      document.errors.map((error) => {
        const { line, col } = lineCounter.linePos(error.pos[0]);
        return { file, line, column: col, message: error.message };
      }),
    );
  }
  const refuse = (message: string): never => fail([{ file, line: 1, column: 1, message }]);
  const root = document.contents;
  return { value: valueOf(document, refuse), locate: (path) => ({ file, ...locateNode(root, path, lineCounter) }) };
}

/** `project.yml has 3 mistakes.` */
export function mistakesIn(file: string, problems: readonly Problem[]): string {
  return problems.length === 1 ? `${file} has a mistake.` : `${file} has ${problems.length} mistakes.`;
}

/** The plain value of a document; aliases that would blow it up, that name nothing or themselves, are refused. */
function valueOf(document: ReturnType<typeof parseDocument>, refuse: (message: string) => never): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof ReferenceError) return refuse(error.message.startsWith("Excessive") ? "has too many aliases" : error.message);
    throw error;
  }
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
