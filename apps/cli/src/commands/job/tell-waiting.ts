import type { AdminSession } from "@flare-ts/runtime/admin";

/**
 * Tells why a job has not begun, and again when the reason is another one, until it begins. Nothing is told, and nothing fails, where the
 * admin may not look at the federation.
 */
export async function tellWaiting(
  session: Pick<AdminSession, "watchSystem">,
  options: { readonly jobId: string; readonly signal: AbortSignal; readonly tell: (reason: string) => void },
): Promise<void> {
  let told = "";
  try {
    for await (const { jobs } of session.watchSystem({ signal: options.signal })) {
      const job = jobs.find(({ jobId }) => jobId === options.jobId);
      if (job === undefined) continue;
      if (job.status !== "SUBMITTED") return;
      if (job.reason === "" || job.reason === told) continue;
      told = job.reason;
      options.tell(told);
    }
  } catch {
    // The journal is what the command shows; whoever cannot be told of this is told of that all the same.
  }
}
