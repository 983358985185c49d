import { FlareError, type Json } from "@flare-ts/contracts";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { plainText } from "../../terminal/plain-text.js";
import { tellAway } from "../../terminal/tell-away.js";
import { evaluationData, evaluationLines } from "./evaluation-lines.js";
import { endText } from "./job-end.js";
import { parseJobId } from "./parse-job-id.js";
import { closedRoundLines, eventLine, openRoundLines, roundData } from "./round-lines.js";
import { addToReport, emptyJobReport, evaluationsEnded, type JobReport } from "./round-report.js";
import { tellWaiting } from "./tell-waiting.js";
import { throughRestarts } from "./through-restarts.js";

/** How often the clock of the round under way is drawn anew. */
const redrawMs = 250;

/**
 * Shows a job from its first event to its last.
 *
 * @throws FlareError `cli/job-not-completed`, `internal/aborted` when it was told to stop watching.
 */
export async function monitorJob(context: CommandContext, options: StudyOptions & { readonly jobId: string }): Promise<CommandOutput> {
  const jobId = parseJobId(options.jobId);
  const report = await withAdminInStudy(context, options, async (session) => {
    const { terminal } = context;
    let known: JobReport = emptyJobReport;
    const redraw = (): void => terminal.draw(openRoundLines(known, Date.now(), terminal));
    const timer = terminal.isInteractive && context.format === "txt" ? setInterval(redraw, redrawMs) : undefined;
    const begun = new AbortController();
    const signal = AbortSignal.any([context.signal, begun.signal]);
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
        else begun.abort();
      }
    } finally {
      begun.abort();
      await waiting;
      clearInterval(timer);
      terminal.draw([]);
    }
    return known;
  });
  if (report.end === undefined) {
    throw new FlareError("internal/aborted", `Stopped watching job ${jobId}; the job itself goes on.`, {
      facts: { jobId },
    });
  }
  const { status, reason } = report.end;
  const said = endText(jobId, report.end);
  return {
    data: {
      job_id: jobId,
      status,
      reason,
      rounds: report.rounds.map(roundData),
      best: report.best ?? null,
      evaluations: report.evaluations.evaluations.map(evaluationData),
    },
    text: [said],
  };
}

function roundLinesOf(report: JobReport, number: number, context: CommandContext): string[] {
  const round = report.rounds.find((one) => one.round === number);
  return round === undefined ? [] : closedRoundLines(round, context.terminal.colors);
}
