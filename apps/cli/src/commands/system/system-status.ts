import { byteSizeText, defaultStudy, type Json } from "@flare-ts/contracts";
import type { SiteStatus, SystemStatus } from "@flare-ts/runtime/admin";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { plainText } from "../../terminal/plain-text.js";
import { bytesText, durationText } from "../../terminal/quantities.js";
import { tableLines } from "../../terminal/table.js";
import { chosenSites, type Targets } from "./operation-targets.js";

/** Shows the server, its sites or some of them, and the jobs that run. @throws FlareError `runtime/site-unknown` */
export async function systemStatus(context: CommandContext, options: StudyOptions & Targets): Promise<CommandOutput> {
  const {
    server,
    sites: all,
    runningJobs,
    waitingJobs = [],
    waitingTransfers = [],
    budget,
    study,
  } = await withAdminInStudy(context, options, async (session) => ({ study: session.study, ...(await session.status(context.signal)) }));
  const sites = chosenSites(all, options);
  const isAnyBehindRelay = sites.some(({ relay = null }) => relay !== null);
  const ago = (ms: number): string => durationText(Math.max(0, Date.now() - ms));
  return {
    data: {
      study,
      server: {
        name: server.name,
        project: server.project,
        started_at_ms: server.startedAtMs,
        software_version: server.softwareVersion,
        received_bytes: server.receivedBytes,
        sent_bytes: server.sentBytes,
      },
      sites: sites.map(siteData),
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
      ...(study === defaultStudy ? [] : [`sites and jobs of study ${study}`]),
      ...(options.target === "server"
        ? []
        : tableLines(
            [
              { title: "SITE" },
              { title: "ORG" },
              { title: "STATE" },
              ...(isAnyBehindRelay ? [{ title: "BY" }] : []),
              { title: "FOR", align: "right" },
              { title: "VERSION" },
              { title: "GPUS", align: "right" },
              { title: "RECEIVED", align: "right" },
              { title: "SENT", align: "right" },
              { title: "CERTIFICATE" },
              { title: "JOBS", align: "right" },
              { title: "REASON" },
            ],
            sites.map((site) => [
              site.name,
              site.org,
              site.state,
              ...(isAnyBehindRelay ? [site.relay ?? "-"] : []),
              ago(site.sinceMs),
              plainText(site.softwareVersion),
              site.resources === null ? "-" : String(site.resources.gpus),
              bytesText(site.receivedBytes),
              bytesText(site.sentBytes),
              site.certificateEndsAtMs === null ? "-" : `until ${new Date(site.certificateEndsAtMs).toISOString().slice(0, 10)}`,
              String(site.jobs.length),
              plainText(site.reason),
            ]),
          )),
      ...sites.flatMap(({ name, privacy = null }) => (privacy === null ? [] : [`privacy scopes of ${name}: ${scopesText(privacy)}`])),
      ...sites.flatMap(({ name, lastError }) =>
        lastError === null
          ? []
          : [`${name}, ${ago(lastError.atMs)} ago: ${plainText(lastError.message)} ${plainText(lastError.todo)}`.trimEnd()],
      ),
      runningJobs.length === 0 ? "no job runs" : `jobs that run: ${runningJobs.join(", ")}`,
      ...waitingJobs.map(({ jobId, reason }) => `job ${jobId} ${reason.startsWith("waits ") ? "" : "waits: "}${plainText(reason)}`),
      ...waitingTransfers.map(
        ({ who, what, reason, sinceMs }) => `${plainText(what)} of ${who} waits for ${ago(sinceMs)}: ${plainText(reason)}`,
      ),
      ...budgetLines(budget),
    ],
  };
}

function scopesText({ scopes, defaultScope, secureMinSites = {} }: NonNullable<SiteStatus["privacy"]>): string {
  const sums = (name: string): string[] => (Object.hasOwn(secureMinSites, name) ? [`sums of ${secureMinSites[name]} sites or more`] : []);
  const notes = (name: string): string[] => [...(name === defaultScope ? ["default"] : []), ...sums(name)];
  const names = scopes.map((name) => `${plainText(name)}${notes(name).length === 0 ? "" : ` (${notes(name).join("; ")})`}`).join(", ");
  return defaultScope === null ? `${names}; a job has to name one` : names;
}

function budgetLines(budget: SystemStatus["budget"]): readonly string[] {
  const { maxMemoryBytes = null, maxDiskBytes = null, usedDiskBytes = null } = budget ?? {};
  const memory = maxMemoryBytes === null ? [] : [`memory: at most ${byteSizeText(maxMemoryBytes)}`];
  const disk = maxDiskBytes === null ? [] : [`disk: ${byteSizeText(usedDiskBytes ?? 0)} of at most ${byteSizeText(maxDiskBytes)}`];
  return [...memory, ...disk];
}

function siteData(site: SiteStatus): { readonly [key: string]: Json } {
  const { lastError, resources, privacy = null } = site;
  return {
    name: site.name,
    org: site.org,
    state: site.state,
    since_ms: site.sinceMs,
    reason: site.reason,
    relay: site.relay ?? null,
    software_version: site.softwareVersion,
    resources: resources === null ? null : { num_of_gpus: resources.gpus, mem_per_gpu_in_GiB: resources.memPerGpuGiB },
    allow_log_streaming: site.allowsLogStreaming,
    privacy_scopes: privacy === null ? null : [...privacy.scopes],
    default_privacy_scope: privacy?.defaultScope ?? null,
    secure_privacy_scopes: { ...privacy?.secureMinSites },
    certificate_ends_at_ms: site.certificateEndsAtMs,
    received_bytes: site.receivedBytes,
    sent_bytes: site.sentBytes,
    received_bytes_per_second: site.receivedBytesPerSecond,
    sent_bytes_per_second: site.sentBytesPerSecond,
    last_error:
      lastError === null
        ? null
        : { at_ms: lastError.atMs, code: lastError.code, message: lastError.message, todo: lastError.todo, job_id: lastError.jobId },
    jobs: [...site.jobs],
  };
}
