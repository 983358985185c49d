import { parseArgs } from "node:util";
import { nearestWord } from "@flare-ts/contracts/errors";
import { invalidArguments } from "./invalid-arguments.ts";

/** What an option is: with a value, which the help calls by this name, or without. */
export interface OptionRow {
  readonly value?: string;
  /** For the help: what it does, and its default. */
  readonly about: string;
}

/** Options of one command by name, without the dashes. */
export type OptionTable<Name extends string> = Readonly<Record<Name, OptionRow>>;

/** What stands on a command line. */
export interface GivenOptions<Name extends string> {
  /** Everything that is no option, in order. */
  readonly words: readonly string[];
  /** All values of an option, in order. */
  all(name: Name): readonly string[];
  /** The last value of an option; `undefined` where it was not given. */
  last(name: Name): string | undefined;
  /** Whether an option was given. */
  has(name: Name): boolean;
}

/**
 * Reads the command line of one command by its table.
 *
 * @throws `cli/invalid-arguments` for an option that is not in the table, with the nearest that is, for one that lacks its value, and for
 *   one that takes none
 */
export function parseOptions<Name extends string>(table: OptionTable<Name>, args: readonly string[]): GivenOptions<Name> {
  const names = Object.keys(table);
  const isRow = (name: string): name is Name => Object.hasOwn(table, name);
  const { tokens, positionals } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      names.map((name) => [name, { type: isRow(name) && table[name].value !== undefined ? "string" : "boolean" }]),
    ),
  });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    if (!isRow(name) || !rawName.startsWith("--")) {
      const near = nearestWord(name, names);
      throw invalidArguments(`There is no option ${rawName}.${near === undefined ? "" : ` Did you mean --${near}?`}`);
    }
    const takes = table[name].value;
    if (takes !== undefined && value === undefined) throw invalidArguments(`--${name} needs a value: --${name} ${takes}.`);
    if (takes === undefined && value !== undefined) throw invalidArguments(`--${name} takes no value, not '${value}'.`);
    given.set(name, [...(given.get(name) ?? []), value ?? ""]);
  }
  return {
    words: positionals,
    all: (name) => given.get(name) ?? [],
    last: (name) => given.get(name)?.at(-1),
    has: (name) => given.has(name),
  };
}

/** The help's lines about options. */
export function optionLines<Name extends string>(table: OptionTable<Name>): string {
  const rows = Object.entries<OptionRow>(table).map(([name, { value, about }]) => ({
    left: `  --${name}${value === undefined ? "" : ` ${value}`}`,
    about,
  }));
  const width = Math.max(...rows.map(({ left }) => left.length)) + 2;
  return rows.map(({ left, about }) => `${left.padEnd(width)}${about.replaceAll("\n", `\n${" ".repeat(width)}`)}`).join("\n");
}
