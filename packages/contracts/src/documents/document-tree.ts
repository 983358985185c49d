import { isCollection, isMap, isPair, isScalar, LineCounter, type Node, type ParsedNode, parseDocument, visit } from "yaml";
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
  locate(path: readonly PropertyKey[]): { readonly file: string } & Position;
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
  const fail = (problems: readonly Problem[]): never => {
    throw new FlareError(code, mistakesIn(file, problems), { problems, facts: { file } });
  };
  const refuse = (message: string): never => fail([{ file, line: 1, column: 1, message }]);
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    // What a stranger wrote must not print.
    logLevel: "error",
    // The library compares every key with every other: minutes for a file of a megabyte.
    uniqueKeys: false,
    merge: hasMergeKeys,
    maxAliasCount: 100,
  } as never);
  const tabs = document.errors.filter((error) => error.code === "TAB_AS_INDENT");
  const problems = [
    // Everything below a tab is misread, and said to be wrong though it is right.
    ...(tabs.length > 0 ? tabs : document.errors).map((error) => ({ at: error.pos[0], message: error.message })),
    ...repeatedKeys(document.contents, hasMergeKeys).map((at) => ({ at, message: "Map keys must be unique" })),
    ...endlessAliases(document).map((at) => ({ at, message: "an alias stands inside what it is an alias of" })),
  ];
  if (problems.length > 0) {
    fail(
      problems.map(({ at, message }) => {
        const { line, col } = lineCounter.linePos(at);
        return { file, line, column: col, message: plainMessage(message) };
      }),
    );
  }
  const root = document.contents;
  return { value: valueOf(document, refuse), locate: (path) => ({ file, ...locateNode(root, path, lineCounter) }) };
}

/** What the library says to those who program with it, as a person who writes a file has it. */
function plainMessage(message: string): string {
  if (message.startsWith("Maximum call stack")) return "is nested too deeply";
  return message.startsWith("Source contains multiple documents") ? "there is more than one document; a second one begins here" : message;
}

/** `project.yml has 3 mistakes.` */
export function mistakesIn(file: string, problems: readonly Problem[]): string {
  return problems.length === 1 ? `${file} has a mistake.` : `${file} has ${problems.length} mistakes.`;
}

/** Where a key stands that its map has already. */
function repeatedKeys(root: ParsedNode | null, hasMergeKeys: boolean): number[] {
  const found: number[] = [];
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (!isCollection(node)) continue;
    const seen = new Set<string>();
    for (const item of node.items) {
      if (!isPair(item)) {
        waiting.push(item);
        continue;
      }
      waiting.push(item.key, item.value);
      if (!isScalar(item.key)) continue;
      // As the plain value has it, where 1 and "1" are the same key.
      const { value } = item.key;
      const key = typeof value === "string" ? value : JSON.stringify(value ?? "");
      if (seen.has(key) && !(hasMergeKeys && key === "<<")) found.push((item.key as ParsedNode).range[0]);
      seen.add(key);
    }
  }
  return found.toSorted((a, b) => a - b);
}

/** Where aliases stand whose value would have no end. */
function endlessAliases(document: ReturnType<typeof parseDocument>): readonly number[] {
  const found: number[] = [];
  const anchors = new Map<string, unknown>();
  try {
    visit(document, {
      Value: (_key, node) => void (node.anchor !== undefined && anchors.set(node.anchor, node)),
      Alias: (_key, alias, ancestors) => {
        const named = anchors.get(alias.source);
        if (ancestors.some((ancestor) => ancestor === named)) found.push(alias.range?.[0] ?? 0);
      },
    });
  } catch (error) {
    // Whoever asks for the value is told that it is nested too deeply.
    if (!(error instanceof RangeError)) throw error;
  }
  return found;
}

/** The plain value of a document; aliases that would blow it up, that name nothing or themselves, are refused. */
function valueOf(document: ReturnType<typeof parseDocument>, refuse: (message: string) => never): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof RangeError) return refuse("is nested too deeply");
    if (error instanceof ReferenceError) return refuse(error.message.startsWith("Excessive") ? "has too many aliases" : error.message);
    // What is left are keys of `<<` that name no map.
    return refuse(error instanceof Error ? error.message : "cannot be read");
  }
}

function locateNode(root: ParsedNode | Node | null, path: readonly PropertyKey[], lines: LineCounter): Position {
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
  // An empty file has nothing but a beginning.
  if (offset === undefined) return { line: 1, column: 1 };
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}
