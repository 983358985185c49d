import { byteSizeText } from "@flare-ts/contracts";
import type { SystemStatus } from "@flare-ts/runtime/admin";
import { withAdmin } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { durationText } from "../../terminal/quantities.js";
import { tableLines } from "../../terminal/table.js";

/** Shows the server, its sites, and the jobs that run. */
export async function systemStatus(context: CommandContext, options: { readonly startupKit: string | undefined }): Promise<CommandOutput> {
  const {
    server,
    sites,
    runningJobs,
    waitingJobs = [],
    waitingTransfers = [],
    budget,
  } = await withAdmin(context, options.startupKit, (session) => session.status());
  const ago = (ms: number): string => durationText(Math.max(0, Date.now() - ms));
  return {
    data: {
      server: { name: server.name, project: server.project, started_at_ms: server.startedAtMs },
      sites: sites.map(({ name, org, state, sinceMs, reason }) => ({ name, org, state, since_ms: sinceMs, reason })),
      running_jobs: [...runningJobs],
      waiting_jobs: waitingJobs.map(({ jobId, reason }) => ({ job_id: jobId, reason })),
      waiting_transfers: waitingTransfers.map(({ who, what, reason, sinceMs }) => ({ who, what, reason, since_ms: sinceMs })),
      budget: {
        max_memory_bytes: budget?.maxMemoryBytes ?? null,
        max_disk_bytes: budget?.maxDiskBytes ?? null,
        used_disk_bytes: budget?.usedDiskBytes ?? null,
      },
    },
    text: [
      `server ${server.name} of project ${server.project}, up for ${ago(server.startedAtMs)}`,
      ...tableLines(
        [{ title: "SITE" }, { title: "ORG" }, { title: "STATE" }, { title: "FOR", align: "right" }, { title: "REASON" }],
        sites.map((site) => [site.name, site.org, site.state, ago(site.sinceMs), site.reason]),
      ),
      runningJobs.length === 0 ? "no job runs" : `jobs that run: ${runningJobs.join(", ")}`,
      ...waitingJobs.map(({ jobId, reason }) => `job ${jobId} waits: ${reason}`),
      ...waitingTransfers.map(({ who, what, reason, sinceMs }) => `${what} of ${who} waits for ${ago(sinceMs)}: ${reason}`),
      ...budgetLines(budget),
    ],
  };
}

function budgetLines(budget: SystemStatus["budget"]): readonly string[] {
  const { maxMemoryBytes = null, maxDiskBytes = null, usedDiskBytes = null } = budget ?? {};
  const memory = maxMemoryBytes === null ? [] : [`memory: at most ${byteSizeText(maxMemoryBytes)}`];
  const disk = maxDiskBytes === null ? [] : [`disk: ${byteSizeText(usedDiskBytes ?? 0)} of at most ${byteSizeText(maxDiskBytes)}`];
  return [...memory, ...disk];
}
