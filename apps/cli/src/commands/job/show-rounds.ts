import { FlareError, type Json } from "@flare-ts/contracts";
import type { AdminSession, JournalEntry } from "@flare-ts/runtime/admin";
import type { CommandContext } from "../../command-line/command-context.js";
import { plainText } from "../../terminal/plain-text.js";
import { tellAway } from "../../terminal/tell-away.js";
import { evaluationLines } from "./evaluation-lines.js";
import { closedRoundLines, eventLine, openRoundLines } from "./round-lines.js";
import { addToReport, emptyJobReport, evaluationsEnded, type JobReport } from "./round-report.js";
import { statisticsLines } from "./statistics-lines.js";
import { tellWaiting } from "./tell-waiting.js";
import { throughRestarts } from "./through-restarts.js";

/** How often the clock of the round under way is drawn anew. */
const redrawMs = 250;

/** Shows a job from its first event to its last, or until the command is told to stop: then the report has no end. */
export async function showRounds(context: CommandContext, session: AdminSession, jobId: string): Promise<JobReport> {
  const { terminal } = context;
  let known: JobReport = emptyJobReport;
  const redraw = (): void => terminal.draw(openRoundLines(known, Date.now(), terminal));
  const timer = terminal.isInteractive && context.format === "txt" ? setInterval(redraw, redrawMs) : undefined;
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  const tell = (reason: string): void => terminal.out(`job ${plainText(reason)}`);
  let waiting: Promise<void> | undefined;
  try {
    const watch = (after: number): AsyncIterable<JournalEntry> => session.watchJob(jobId, { signal: context.signal, after });
    for await (const entry of throughRestarts(watch, { signal: context.signal, onAway: tellAway(terminal) })) {
      const before = known;
      known = addToReport(before, entry);
      if (context.format === "jsonl") context.report(entry as unknown as { [key: string]: Json }, "");
      if (context.format !== "txt") continue;
      redraw();
      const line = eventLine(entry, known, terminal.colors);
      if (line !== undefined) terminal.out(line);
      if (entry.event.type === "round-closed") for (const text of roundLinesOf(known, entry.event.round, context)) terminal.out(text);
      for (const evaluation of evaluationsEnded(before, known)) {
        const { colors, columns } = terminal;
        for (const text of evaluationLines(evaluation, { colors, columns, keyMetric: known.best?.metric })) terminal.out(text);
      }
      if (entry.event.type === "job-submitted") waiting = tellWaiting(session, { jobId, signal, tell });
    }
  } finally {
    over.abort();
    await waiting;
    clearInterval(timer);
    terminal.draw([]);
  }
  return withStatistics(context, session, { jobId, report: known });
}

/** What came of statistics is no part of the journal: it is read once the job is over, by those who may. */
async function withStatistics(
  { terminal, format, signal }: CommandContext,
  session: AdminSession,
  { jobId, report }: { readonly jobId: string; readonly report: JobReport },
): Promise<JobReport> {
  if (report.end === undefined || !report.rounds.some(({ asks, closed }) => asks === "statistics" && closed !== undefined)) return report;
  try {
    const statistics = await session.statistics(jobId, { signal });
    if (format === "txt") for (const text of statistics.flatMap((one) => statisticsLines(one, terminal))) terminal.out(text);
    return { ...report, statistics };
  } catch (reason) {
    // Not everybody who may watch a job may have its results.
    if (format === "txt") terminal.out(`the statistics cannot be read: ${plainText(FlareError.from(reason).message)}`);
    return report;
  }
}

function roundLinesOf(report: JobReport, number: number, context: CommandContext): string[] {
  const round = report.rounds.find((one) => one.round === number);
  return round === undefined ? [] : closedRoundLines(round, context.terminal.colors);
}
