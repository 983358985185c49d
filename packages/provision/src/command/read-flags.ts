import { parseArgs } from "node:util";
import { FlareError, nearestWord } from "@flare-ts/contracts";

/** What `flare-provision` was asked to do. */
export type Verb = "kits" | "status" | "revoke" | "help";

/** The words of a command line of `flare-provision`. */
export interface Flags {
  readonly verb: Verb;
  /** What stands behind the verb. */
  readonly words: readonly string[];
  readonly projectFile: string;
  readonly workspace: string;
  readonly customFolder: string;
  readonly project: string | undefined;
  readonly addUser: string | undefined;
  readonly addClient: string | undefined;
  readonly reason: string;
  readonly passphraseFile: string | undefined;
  readonly isClear: boolean;
  readonly isStartAll: boolean;
  readonly isArchive: boolean;
}

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const options = {
  "project-file": { ...text, short: "p" },
  workspace: { ...text, short: "w" },
  "custom-folder": { ...text, short: "c" },
  project: text,
  "add-user": text,
  "add-client": text,
  reason: text,
  "ca-passphrase-file": text,
  "clear-ca-key": flag,
  "gen-scripts": { ...flag, short: "s" },
  archive: flag,
  force: flag,
  help: { ...flag, short: "h" },
} as const;
const mostWords: Readonly<Record<Verb, number>> = { kits: 0, status: 1, revoke: 1, help: 0 };

/**
 * Reads a command line; FLARE's flags with `_` are taken too.
 *
 * @throws FlareError `cli/invalid-arguments`
 */
export function readFlags(argv: readonly string[]): Flags {
  const { values, positionals } = parse(argv.map((word) => (word.startsWith("--") ? withDashes(word) : word)));
  const [first, ...rest] = positionals;
  const verb = values.help === true ? "help" : (first ?? "kits");
  if (!isVerb(verb)) {
    const near = nearestWord(verb, Object.keys(mostWords));
    throw invalid(`There is no '${verb}'${near === undefined ? "" : `; did you mean '${near}'?`}`);
  }
  if (verb !== "help" && rest.length > mostWords[verb]) throw invalid(`'${rest.slice(mostWords[verb]).join(" ")}' has no place here.`);
  if (values["clear-ca-key"] === true && values["ca-passphrase-file"] !== undefined)
    throw invalid("--clear-ca-key and --ca-passphrase-file exclude each other.");
  return {
    verb,
    words: rest,
    projectFile: values["project-file"] ?? "project.yml",
    workspace: values.workspace ?? "workspace",
    customFolder: values["custom-folder"] ?? ".",
    project: values.project,
    addUser: values["add-user"],
    addClient: values["add-client"],
    reason: values.reason ?? "",
    passphraseFile: values["ca-passphrase-file"],
    isClear: values["clear-ca-key"] === true,
    isStartAll: values["gen-scripts"] === true,
    isArchive: values.archive === true,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (cause) {
    const unknown = args.find((word) => word.startsWith("--") && !Object.hasOwn(options, nameOf(word)));
    if (unknown === undefined) throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
    const near = nearestWord(nameOf(unknown), Object.keys(options));
    throw invalid(`There is no flag --${nameOf(unknown)}${near === undefined ? "" : `; did you mean --${near}?`}`, cause);
  }
}

/** Of `--name=value`. */
function nameOf(word: string): string {
  return word.slice(2).replace(/=.*$/s, "");
}

function withDashes(word: string): string {
  const [name = "", ...value] = word.split("=");
  return [name.replaceAll("_", "-"), ...value].join("=");
}

function isVerb(word: string): word is Verb {
  return Object.hasOwn(mostWords, word);
}

function invalid(message: string, cause?: unknown): FlareError {
  return new FlareError("cli/invalid-arguments", message, { cause });
}
