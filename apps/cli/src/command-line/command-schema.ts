import type { Json } from "@flare-ts/contracts";
import type { Command, Option } from "commander";

/** What a command takes, in the JSON that FLARE's `--schema` prints. */
export function commandSchema(command: Command, name: string, examples: readonly string[]): { readonly [key: string]: Json } {
  return {
    schema_version: "1",
    command: name,
    description: command.description(),
    args: command.options.filter(({ hidden }) => !hidden).map((option) => optionSchema(option)),
    examples,
  };
}

function optionSchema(option: Option): { readonly [key: string]: Json } {
  const { long, short, description, defaultValue, argChoices } = option;
  return {
    name: long ?? short ?? "",
    type: typeOf(option),
    required: option.mandatory,
    description,
    default: typeof defaultValue === "string" || typeof defaultValue === "boolean" ? defaultValue : option.isBoolean() ? false : null,
    ...(argChoices === undefined ? {} : { choices: argChoices }),
    ...(short === undefined ? {} : { aliases: [short] }),
  };
}

function typeOf(option: Option): string {
  if (option.isBoolean() || !option.required) return "boolean";
  return /<(?:file|dir)>/.test(option.flags) ? "path" : "string";
}
