import type { MachineResources, OperationOutcome } from "@flare-ts/runtime/admin";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { plainText } from "../../terminal/plain-text.js";
import { bytesText } from "../../terminal/quantities.js";
import { tableLines } from "../../terminal/table.js";
import type { Targets } from "./operation-targets.js";
import { failureText, outcomeData, requireAll } from "./outcome-text.js";

/** Shows what server and sites run on, and what of it is free. @throws FlareError what all of them refuse */
export async function systemResources(context: CommandContext, options: StudyOptions & Targets): Promise<CommandOutput> {
  const { target, sites } = options;
  const outcomes = await withAdminInStudy(context, options, (session) =>
    session.reportResources(target, { sites, signal: context.signal }),
  );
  // What one site keeps to itself is no failure of the others.
  if (outcomes.every(({ error }) => error !== undefined)) requireAll(outcomes, "told");
  const rows = outcomes.flatMap(({ name, result }) => (result === undefined ? [] : [rowOf(name, result)]));
  const jobRows = outcomes.flatMap(({ name, result }) => (result === undefined ? [] : jobRowsOf(name, result)));
  return {
    data: outcomes.map((outcome) => ({ ...outcomeData(outcome, "told"), resources: dataOf(outcome) })),
    text: [
      ...(outcomes.length === 0 ? ["No site is connected."] : []),
      ...(rows.length === 0 ? [] : tableLines(columns, rows)),
      ...(jobRows.length === 0 ? [] : ["", ...tableLines(jobColumns, jobRows)]),
      ...outcomes.flatMap((outcome) => (outcome.error === undefined ? [] : [failureText(outcome)])),
    ],
  };
}

const columns = [
  { title: "NAME" },
  { title: "PLATFORM" },
  { title: "CPUS", align: "right" },
  { title: "MEMORY FREE", align: "right" },
  { title: "OF", align: "right" },
  { title: "DISK FREE", align: "right" },
  { title: "OF", align: "right" },
] as const;

const jobColumns = [
  { title: "FOR JOBS AT" },
  { title: "CPUS FREE", align: "right" },
  { title: "OF", align: "right" },
  { title: "MEMORY FREE", align: "right" },
  { title: "OF", align: "right" },
  { title: "GPUS FREE", align: "right" },
  { title: "OF", align: "right" },
] as const;

function rowOf(name: string, told: MachineResources): readonly string[] {
  const { platform, cpus, freeMemoryBytes, memoryBytes, freeDiskBytes, diskBytes } = told;
  const bytes = [freeMemoryBytes, memoryBytes, freeDiskBytes, diskBytes].map(bytesText);
  return [name, plainText(platform), String(cpus), ...bytes];
}

/** What a site has for jobs; a server has nothing for them. */
function jobRowsOf(name: string, { gpus, forJobs }: MachineResources): readonly (readonly string[])[] {
  if (gpus === null) return [];
  const kept = forJobs ?? undefined;
  const cpus = kept === undefined ? ["-", "-"] : [String(kept.freeCpus), String(kept.cpus)];
  const memory = kept === undefined ? ["-", "-"] : [bytesText(kept.freeMemoryBytes), bytesText(kept.memoryBytes)];
  return [[name, ...cpus, ...memory, String(gpus.free), String(gpus.offered)]];
}

function dataOf({ result }: OperationOutcome<MachineResources>) {
  if (result === undefined) return null;
  const {
    platform,
    cpus,
    memoryBytes,
    freeMemoryBytes,
    diskBytes,
    freeDiskBytes,
    maxMemoryBytes,
    maxDiskBytes,
    gpus,
    forJobs = null,
  } = result;
  return {
    platform,
    cpus,
    memory_bytes: memoryBytes,
    free_memory_bytes: freeMemoryBytes,
    disk_bytes: diskBytes,
    free_disk_bytes: freeDiskBytes,
    max_memory_bytes: maxMemoryBytes,
    max_disk_bytes: maxDiskBytes,
    gpus: gpus === null ? null : { offered: gpus.offered, free: gpus.free, mem_per_gpu_in_GiB: gpus.memPerGpuGiB },
    cpus_for_jobs: forJobs === null ? null : { offered: forJobs.cpus, free: forJobs.freeCpus },
    memory_for_jobs: forJobs === null ? null : { offered_bytes: forJobs.memoryBytes, free_bytes: forJobs.freeMemoryBytes },
  };
}
