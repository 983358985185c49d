import { FlareError } from "@flare-ts/contracts";
import type { AdminSession, OutputLine, OutputPage, TrackedPoint } from "@flare-ts/runtime/admin";
import type { CommandContext } from "../../command-line/command-context.js";
import { tellAway } from "../../terminal/tell-away.js";
import { throughRestarts } from "./through-restarts.js";

/** Which kind of output is read. */
export type OutputKind = "metrics" | "lines";

type Entry<Kind extends OutputKind> = Kind extends "metrics" ? TrackedPoint : OutputLine;

export interface ReadOutputInit<Kind extends OutputKind> {
  readonly jobId: string;
  readonly kind: Kind;
  /** Whether to go on until the job ends. */
  readonly isFollowing: boolean;
  /** Of the command: it is told there when the server is away while it is followed. */
  readonly context: Pick<CommandContext, "signal" | "terminal">;
}

/** What the sites of a job said, from the first entry on; then what they say, where it is followed. */
export async function* readOutput<Kind extends OutputKind>(session: AdminSession, init: ReadOutputInit<Kind>): AsyncGenerator<Entry<Kind>> {
  const { jobId, kind, isFollowing, context } = init;
  const { signal, terminal } = context;
  if (isFollowing) {
    const follow = async function* (last: number): AsyncGenerator<Entry<Kind>> {
      const from = kind === "metrics" ? { metricsAfter: last } : { linesAfter: last };
      for await (const news of session.watchJobOutput(jobId, from, { signal })) yield* news[kind] as readonly Entry<Kind>[];
    };
    yield* throughRestarts<Entry<Kind>>(follow, { signal, onAway: tellAway(terminal) });
    if (signal.aborted)
      throw new FlareError("internal/aborted", `Stopped following job ${jobId}; the job itself goes on.`, { facts: { jobId } });
    return;
  }
  let after = 0;
  for (;;) {
    const options = { after, limit: 2_000, signal };
    const page: OutputPage<TrackedPoint | OutputLine> =
      kind === "metrics" ? await session.jobMetrics(jobId, options) : await session.jobLogs(jobId, options);
    yield* page.entries as readonly Entry<Kind>[];
    after = page.entries.at(-1)?.seq ?? after;
    if (!page.hasMore) return;
  }
}
