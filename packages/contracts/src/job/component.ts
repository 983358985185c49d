import { z } from "zod";
import { issueText } from "../documents/issue-text.js";
import { nearestWord } from "../errors/nearest-word.js";

/** A class that a job may name, with the arguments that it takes. */
export interface ComponentClass<Args> {
  /** The last part of FLARE's dotted path, which is also the short name. */
  readonly name: string;
  readonly args: z.ZodType<Args>;
  /** Names of the arguments, for hints. */
  readonly argNames: readonly string[];
  /** FLARE's arguments that are refused, each with the reason or the way round. */
  readonly refusedArgs: Readonly<Record<string, string>>;
  /** FLARE's arguments that are accepted and do nothing, each with what takes their place. */
  readonly ignoredArgs?: Readonly<Record<string, string>>;
}

/** `path` and `args` as written. */
export const componentShape = { path: z.string().min(1), args: z.record(z.string(), z.unknown()).default({}) };

/** A class that a job names, with its arguments. */
export interface ReadComponent<Args> {
  readonly name: string;
  readonly args: Args;
  /** Arguments that do nothing here: name and what takes their place. */
  readonly ignored: readonly (readonly [string, string])[];
}

interface WrittenComponent {
  readonly path: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What a zod transform gives to report mistakes with. */
interface IssueContext {
  addIssue(issue: { readonly code: "custom"; readonly path: PropertyKey[]; readonly message: string }): void;
}

/**
 * Finds the class that a job names, by FLARE's dotted path (`nvflare.…`) or by its short name, and reads its arguments.
 * Mistakes go to `context`, at `path` and below `args`; then `undefined` is returned.
 *
 * @param instead - what does the work of classes of FLARE that are not known, by name
 */
export function readComponent<Args>(
  kind: string,
  known: readonly ComponentClass<Args>[],
  written: WrittenComponent,
  context: IssueContext,
  instead: Readonly<Record<string, string>> = {},
): ReadComponent<Args> | undefined {
  const found = findClass(known, written.path);
  if (found === undefined) {
    const name = nameIn(written.path);
    const message = Object.hasOwn(instead, name)
      ? `the ${kind} '${written.path}' is not here: ${instead[name] ?? ""}`
      : unknownClass(kind, known, written.path);
    context.addIssue({ code: "custom", path: ["path"], message });
    return undefined;
  }
  const { refused, ignored, rest } = sortArgs(found, written.args);
  for (const [name, reason] of refused) context.addIssue({ code: "custom", path: ["args", name], message: reason });
  const parsed = found.args.safeParse(rest);
  if (parsed.success) return refused.length === 0 ? { name: found.name, args: parsed.data, ignored } : undefined;
  for (const issue of parsed.error.issues) {
    if (issue.code === "unrecognized_keys" && issue.path.length === 0) {
      for (const name of issue.keys) {
        context.addIssue({ code: "custom", path: ["args", name], message: unknownArg(found, name) });
      }
    } else {
      context.addIssue({ code: "custom", path: ["args", ...issue.path], message: issueText(issue, isMissing(issue, rest)) });
    }
  }
  return undefined;
}

function isMissing(issue: z.core.$ZodIssue, args: Readonly<Record<string, unknown>>): boolean {
  const [name, ...below] = issue.path;
  return below.length === 0 && !Object.hasOwn(args, String(name));
}

/** A class of the job's own code must not be taken for ours because its name is the same, hence the prefix. */
function findClass<Args>(known: readonly ComponentClass<Args>[], path: string): ComponentClass<Args> | undefined {
  const name = nameIn(path);
  return known.find((candidate) => candidate.name === name);
}

function nameIn(path: string): string {
  return path.startsWith("nvflare.") ? path.slice(path.lastIndexOf(".") + 1) : path;
}

function unknownClass<Args>(kind: string, known: readonly ComponentClass<Args>[], path: string): string {
  const names = known.map((candidate) => candidate.name);
  const name = path.slice(path.lastIndexOf(".") + 1);
  const near = nearestWord(name, names);
  if (near !== undefined && near !== name) return `unknown ${kind} '${path}'; did you mean '${near}'?`;
  return `the ${kind} '${path}' is not supported yet; supported: ${names.join(", ")}`;
}

function unknownArg<Args>(found: ComponentClass<Args>, name: string): string {
  const near = nearestWord(name, found.argNames);
  return `unknown argument '${name}' of ${found.name}${near === undefined ? "" : `; did you mean '${near}'?`}`;
}

/** FLARE's exporters write `null` for an argument that is not set; it counts as absent. */
function sortArgs<Args>(found: ComponentClass<Args>, args: WrittenComponent["args"]) {
  const given = Object.entries(args).filter(([, value]) => value !== null);
  const { refusedArgs, ignoredArgs = {} } = found;
  const among = (table: Readonly<Record<string, string>>) =>
    given.flatMap(([name]) => {
      const reason = Object.hasOwn(table, name) ? table[name] : undefined;
      return reason === undefined ? [] : [[name, `'${name}' of ${found.name}: ${reason}`] as const];
    });
  return {
    refused: among(refusedArgs),
    ignored: among(ignoredArgs),
    rest: Object.fromEntries(given.filter(([name]) => !Object.hasOwn(refusedArgs, name) && !Object.hasOwn(ignoredArgs, name))),
  };
}
