import { askLine } from "./ask-line.js";

/** Asks a question whose answer is no unless it is yes. */
export async function askYes(question: string, signal: AbortSignal): Promise<boolean> {
  return /^y(es)?$/i.test(((await askLine(`${question} [y/N] `, { signal })) ?? "").trim());
}
