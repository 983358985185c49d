import type { CommandHandler } from "./command-context.js";

/** Connects a command to the module that carries it out; the module is loaded when the command is run. */
export type BindHandler = <Options>(
  load: () => Promise<CommandHandler<Options>>,
  options: (args: readonly string[], flags: Readonly<Record<string, unknown>>) => Options,
) => (...args: unknown[]) => Promise<void>;
