import type { Json } from "@flare-ts/contracts";
import type { Terminal } from "../terminal/terminal.js";

/** The forms in which a command's result can be printed. */
export const outputFormats = ["txt", "json", "jsonl"] as const;

/** `txt` for people, `json` for one envelope at the end, `jsonl` for one line per event and the envelope as the last. */
export type OutputFormat = (typeof outputFormats)[number];

/** What a command is given besides its own arguments. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly format: OutputFormat;
  readonly isVerbose: boolean;
  /** Time that the server has to let an admin in; `undefined`: until it has been silent for too long. */
  readonly connectTimeoutMs: number | undefined;
  /** Aborts at the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths start from. */
  readonly cwd: string;
  /** Tells of something that happened before the command ends: a line for people, an object for `jsonl`, nothing for `json`. */
  readonly report: (event: { readonly [key: string]: Json }, text: string) => void;
  /** Lets the command go on when nobody reads its output any more; otherwise it ends, as `| head` expects. */
  readonly outliveReader: () => void;
  /** Leaves Ctrl-C to what this command has started: it goes on itself. */
  readonly outliveInterrupts: () => void;
}

/** What a command gives back when it did what it was asked. */
export interface CommandOutput {
  /** `data` of the JSON envelope. */
  readonly data: Json;
  /** Lines for people, printed last. */
  readonly text: readonly string[];
  /** Exit status, where it is not to be 0 though all went well. */
  readonly exitStatus?: number;
  /** What a person may want to do next; kept off the standard output, so that scripts get the result alone. */
  readonly hints?: readonly string[];
}

/** A command, loaded only when it is run. */
export type CommandHandler<Options> = (context: CommandContext, options: Options) => Promise<CommandOutput>;
