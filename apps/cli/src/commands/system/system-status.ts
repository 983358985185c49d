import { withAdmin } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { durationText } from "../../terminal/quantities.js";
import { tableLines } from "../../terminal/table.js";

/** Shows the server, its sites, and the jobs that run. */
export async function systemStatus(context: CommandContext, options: { readonly startupKit: string | undefined }): Promise<CommandOutput> {
  const { server, sites, runningJobs } = await withAdmin(context, options.startupKit, (session) => session.status());
  const ago = (ms: number): string => durationText(Math.max(0, Date.now() - ms));
  return {
    data: {
      server: { name: server.name, project: server.project, started_at_ms: server.startedAtMs },
      sites: sites.map(({ name, org, state, sinceMs, reason }) => ({ name, org, state, since_ms: sinceMs, reason })),
      running_jobs: [...runningJobs],
    },
    text: [
      `server ${server.name} of project ${server.project}, up for ${ago(server.startedAtMs)}`,
      ...tableLines(
        [{ title: "SITE" }, { title: "ORG" }, { title: "STATE" }, { title: "FOR", align: "right" }, { title: "REASON" }],
        sites.map((site) => [site.name, site.org, site.state, ago(site.sinceMs), site.reason]),
      ),
      runningJobs.length === 0 ? "no job runs" : `jobs that run: ${runningJobs.join(", ")}`,
    ],
  };
}
