import { join } from "node:path";
import { createFederation, writeAddOneJob } from "@flare-ts/testing";

/** What a measurement of rounds is made with. */
export interface RoundsInit {
  readonly sites: number;
  readonly rounds: number;
}

/**
 * Seconds from the opening of each round to the opening of the next, in a federation of real processes over mutual TLS whose
 * trainers add one to a 3x3 model. The first round is left out: the job's processes start in it.
 */
export async function measureRounds({ sites, rounds }: RoundsInit): Promise<readonly number[]> {
  const names = Array.from({ length: sites }, (_, i) => `site-${i + 1}`);
  const federation = await createFederation({ sites: names });
  try {
    const folder = join(federation.folder, "job");
    await writeAddOneJob({ folder, rounds: rounds + 1, minClients: sites });
    await federation.startAll();
    const admin = await federation.admin();
    const opened: number[] = [];
    let endedAs = "";
    const { jobId } = await admin.submitJob(folder);
    for await (const { event, atMs } of admin.watchJob(jobId)) {
      if (event.type === "round-opened") opened.push(atMs);
      if (event.type === "workflow-ended") opened.push(atMs);
      if (event.type === "job-ended") endedAs = `${event.status}: ${event.reason}`;
    }
    admin.close();
    if (!endedAs.startsWith("FINISHED:COMPLETED")) throw new Error(`the job ended as ${endedAs}`);
    return opened.slice(2).map((ms, i) => (ms - (opened[i + 1] ?? 0)) / 1000);
  } finally {
    await federation.dispose();
  }
}
