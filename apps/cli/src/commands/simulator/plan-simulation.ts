import { availableParallelism, totalmem } from "node:os";
import { byteSizeText, FlareError, type JobMeta, type Problem, resourcesFor, serverTarget, siteNameSchema } from "@flare-ts/contracts";
import { selectJobSites } from "@flare-ts/runtime/admin";
import { simulatorDefaults } from "./simulator-defaults.js";

/** What the command line says about the sites. */
export interface SimulationWishes {
  /** How many. */
  readonly count: number | undefined;
  readonly names: readonly string[] | undefined;
  readonly threads: number | undefined;
  /** GPUs of the first site, of the second and so on, and again from the first. */
  readonly gpus: readonly string[] | undefined;
  readonly maxClients: number;
  readonly endsRunForAll: boolean;
}

/** A site of a simulation. */
export interface SimulatedSite {
  readonly name: string;
  /** GPUs that it offers jobs. */
  readonly gpus: number;
  readonly memPerGpuGiB: number;
  /** What the job asks it for, and it offers therefore, however much that is; 0: nothing. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Its CUDA_VISIBLE_DEVICES; `undefined`: that of the command. */
  readonly visibleGpus: string | undefined;
}

/** What all sites of a simulation share. */
interface Machine {
  readonly cpus: number;
  readonly memoryBytes: number;
}

export interface SimulationPlan {
  readonly sites: readonly SimulatedSite[];
  /** What is otherwise than the command line may suggest. */
  readonly notes: readonly string[];
}

/**
 * Chooses the sites of a simulation: those that the command line names, else those of the deploy map, else two.
 *
 * @throws FlareError `cli/invalid-arguments`; `simulator/sites-unfit` with everything by which the job and its sites do not go together
 */
export function planSimulation(meta: JobMeta, wishes: SimulationWishes, machine: Machine = thisMachine()): SimulationPlan {
  const names = chooseNames(meta, wishes);
  refuseNumbers(names.length, wishes);
  const sites = names.map((name, at) => siteOf(name, wishes.gpus?.[at % wishes.gpus.length], meta));
  const problems = [...misfits(meta, names), ...sites.flatMap((site) => lackOfGpus(site, meta))];
  if (problems.length > 0) throw new FlareError("simulator/sites-unfit", "The job and its sites do not go together.", { problems });
  return { sites, notes: [...notesOn(sites, meta, wishes), ...notesOnSharing(sites, machine)] };
}

function chooseNames(meta: JobMeta, { count, names }: SimulationWishes): readonly string[] {
  if (names === undefined) {
    const mapped = Object.values(meta.deployMap).flatMap((targets) => (targets === "@ALL" ? [] : targets));
    const named = mapped.filter((name) => name !== serverTarget);
    if (count === undefined && named.length > 0) return [...new Set(named)];
    return Array.from({ length: count ?? simulatorDefaults.clients }, (_, at) => `site-${at + 1}`);
  }
  if (names.length === 0) throw refused("-c names no site.");
  if (count !== undefined && count !== names.length)
    throw refused(`-c names ${names.length} sites and -n says ${count}; give one of the two.`);
  const seen = new Set<string>([simulatorDefaults.server]);
  for (const name of names) {
    const { error } = siteNameSchema.safeParse(name);
    if (error !== undefined) throw refused(`'${name}' cannot be the name of a site: ${error.issues[0]?.message ?? "it is no name"}.`);
    // Kits are folders, and on some systems two names that differ in case alone are one.
    if (seen.has(name.toLowerCase())) throw refused(`'${name}' cannot be the name of a site: there is another of that name.`);
    seen.add(name.toLowerCase());
  }
  return names;
}

function refuseNumbers(count: number, { threads, gpus, maxClients }: SimulationWishes): void {
  if (count > maxClients) throw refused(`There would be ${count} sites, and at most ${maxClients} are allowed; -m allows more.`);
  if (threads !== undefined && threads > count) throw refused(`-t says that ${threads} sites train at a time, and the run has ${count}.`);
  if (gpus !== undefined && gpus.length > count) throw refused(`-gpu has GPUs for ${gpus.length} sites, and the run has ${count}.`);
}

function siteOf(name: string, visibleGpus: string | undefined, meta: JobMeta): SimulatedSite {
  const { gpus, ...asked } = resourcesFor(name, meta);
  return { name, gpus: visibleGpus?.split(",").length ?? gpus, ...asked, visibleGpus };
}

/** Why the job would not begin, or not at all of these sites. */
function misfits(meta: JobMeta, names: readonly string[]): Problem[] {
  const chosen = selectJobSites(meta, names);
  const taking = chosen.canStart ? Object.keys(chosen.apps) : chosen.connected;
  const problems = names.filter((name) => !taking.includes(name)).map((name) => `the deploy_map of the job gives ${name} no app`);
  if (!chosen.canStart) {
    problems.push(...chosen.missing.map((name) => `the job does not begin without ${name} (mandatory_clients)`));
    if (taking.length < chosen.needed) problems.push(`the job needs ${chosen.needed} sites (min_clients), and would have ${taking.length}`);
  }
  return problems.map((message) => ({ message }));
}

function lackOfGpus({ name, gpus }: SimulatedSite, meta: JobMeta): Problem[] {
  const asked = resourcesFor(name, meta).gpus;
  return asked <= gpus ? [] : [{ message: `the job asks ${name} for ${asked} GPUs (resource_spec), and -gpu gives it ${gpus}` }];
}

function notesOn(sites: readonly SimulatedSite[], { scope }: JobMeta, { threads, endsRunForAll }: SimulationWishes): string[] {
  const notes: string[] = [];
  if (threads !== undefined && threads < sites.length) {
    notes.push(`-t ${threads}: all ${sites.length} sites train at the same time, each in processes of its own; none is swapped out.`);
  }
  if (sites.some(({ gpus, visibleGpus }) => gpus > 0 && visibleGpus === undefined))
    notes.push("The job asks for GPUs: without -gpu all sites use the same ones.");
  if (scope !== undefined) notes.push(`The privacy scope '${scope}' filters nothing here: what it does is said by the sites that have it.`);
  if (endsRunForAll) notes.push("--end_run_for_all changes nothing: every site always learns that the job is over.");
  return notes;
}

/** Each site has what the job asks it for, so that the job runs as it would where they have machines of their own. */
function notesOnSharing(sites: readonly SimulatedSite[], machine: Machine): string[] {
  const cpus = sites.reduce((sum, site) => sum + site.cpus, 0);
  const memoryBytes = sites.reduce((sum, site) => sum + site.memoryBytes, 0);
  const notes: string[] = [];
  if (cpus > machine.cpus) notes.push(`The job asks its sites for ${cpus} CPUs together; they share ${machine.cpus} here.`);
  if (memoryBytes > machine.memoryBytes) {
    const [asked, here] = [memoryBytes, machine.memoryBytes].map(byteSizeText);
    notes.push(`The job asks its sites for ${asked} of memory together; they share ${here} here.`);
  }
  return notes;
}

function thisMachine(): Machine {
  return { cpus: availableParallelism(), memoryBytes: totalmem() };
}

function refused(message: string): FlareError {
  return new FlareError("cli/invalid-arguments", message);
}
