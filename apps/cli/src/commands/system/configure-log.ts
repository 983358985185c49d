import { FlareError } from "@flare-ts/contracts";
import { type LevelWord, levelWords } from "@flare-ts/runtime/admin";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import type { Targets } from "./operation-targets.js";
import { outcomeData, requireAll } from "./outcome-text.js";

/** What `flare system log-config` is given. */
export interface ConfigureLogOptions extends StudyOptions, Targets {
  readonly level: string;
}

/** Python's names of levels, which FLARE has. */
const alsoCalled: Readonly<Record<string, LevelWord>> = { warning: "warn", critical: "error" };

/** Changes how much running processes log, until they restart. @throws FlareError `cli/invalid-arguments`, `cli/not-everywhere` */
export async function configureLog(context: CommandContext, options: ConfigureLogOptions): Promise<CommandOutput> {
  const { target, sites } = options;
  const level = levelOf(options.level);
  const outcomes = await withAdminInStudy(context, options, (session) =>
    session.configureSiteLog(level, target, { sites, signal: context.signal }),
  );
  for (const outcome of outcomes) {
    const { name, error, result } = outcome;
    // What failed stands in the error at the end.
    if (error === undefined || context.format !== "txt")
      context.report({ type: "outcome", ...outcomeData(outcome, "set"), level: result ?? null }, `${name}: ${result ?? ""}`);
  }
  requireAll(outcomes, "set");
  return {
    data: outcomes.map((outcome) => ({ ...outcomeData(outcome, "set"), level: outcome.result ?? null })),
    text: outcomes.length === 0 ? ["No site is connected."] : [],
  };
}

function levelOf(text: string): LevelWord {
  const word = text.toLowerCase();
  const level = levelWords.find((one) => one === word) ?? (Object.hasOwn(alsoCalled, word) ? alsoCalled[word] : undefined);
  if (level !== undefined) return level;
  throw new FlareError("cli/invalid-arguments", `'${text.slice(0, 120)}' is no level: there are ${levelWords.join(", ")}.`);
}
