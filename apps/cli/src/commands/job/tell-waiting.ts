import type { AdminSession } from "@flare-ts/runtime/admin";

/** What a site waits for no longer than this is not told. */
const toldAfterMs = 2_000;

/**
 * Tells why a job has not begun, and then what its sites wait for, such as GPUs or CPUs that others have; each reason once, and again when it is
 * another one. Nothing is told, and nothing fails, where the admin may not look at the federation.
 */
export async function tellWaiting(
  session: Pick<AdminSession, "watchSystem">,
  options: { readonly jobId: string; readonly signal: AbortSignal; readonly tell: (reason: string) => void },
): Promise<void> {
  let told = "";
  const toldOf = new Map<string, string>();
  try {
    for await (const { jobs } of session.watchSystem({ signal: options.signal })) {
      const job = jobs.find(({ jobId }) => jobId === options.jobId);
      if (job === undefined) continue;
      if (job.status !== "SUBMITTED") {
        for (const [site, { phase, reason, stillMs }] of Object.entries(job.progress)) {
          if (phase !== "waiting") toldOf.delete(site);
          if (phase !== "waiting" || reason === "" || stillMs < toldAfterMs || toldOf.get(site) === reason) continue;
          toldOf.set(site, reason);
          options.tell(`at ${site} ${reason}`);
        }
        continue;
      }
      if (job.reason === "" || job.reason === told) continue;
      told = job.reason;
      options.tell(told);
    }
  } catch {
    // The journal is what the command shows; whoever cannot be told of this is told of that all the same.
  }
}
