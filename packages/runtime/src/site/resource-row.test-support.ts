import { isDeepStrictEqual } from "node:util";
import { gpuNames } from "./gpu-names.js";
import { type JobResources, ResourcePool, type ResourceTurn } from "./resource-pool.js";
import { giveByReference, type JobInRow } from "./resource-pool.reference.js";

/** What the site of these tests offers. */
export const offered = { gpus: 3, cpus: 5, memoryBytes: 7 };
export type Amounts = typeof offered;

export type Step =
  | { readonly kind: "enter"; readonly asked: Amounts | undefined }
  | { readonly kind: "ask"; readonly at: number; readonly asked: Amounts }
  | { readonly kind: "leave"; readonly at: number; readonly isAborted: boolean };

interface Job extends JobInRow {
  readonly turn: ResourceTurn;
  readonly abort: AbortController;
  has: JobResources | undefined;
  failure: unknown;
}

/** A pool and the jobs at it, in the order in which they came; looks after each step whether all is as the reference says. */
export class ResourceRow {
  readonly #pool = new ResourcePool({
    site: "site-1",
    devices: gpuNames(offered.gpus, undefined),
    memPerGpuGiB: 0,
    cpus: offered.cpus,
    memoryBytes: offered.memoryBytes,
  });
  readonly faults: string[] = [];
  jobs: Job[] = [];
  #count = 0;

  async go(step: Step): Promise<void> {
    if (step.kind === "enter") this.#enter(step.asked);
    else {
      const job = this.jobs[step.at % Math.max(1, this.jobs.length)];
      if (job === undefined) return;
      if (step.kind === "ask") this.#ask(job, step.asked);
      else this.#leave(job, step.isAborted);
    }
    await this.#look();
  }

  #enter(asked: Amounts | undefined): void {
    const who = `job-${this.#count++}`;
    const turn = this.#pool.enter(who);
    const job = { who, turn, abort: new AbortController(), asked: undefined, hasAll: false, has: undefined, failure: undefined };
    this.jobs.push(job);
    if (asked !== undefined) this.#ask(job, asked);
  }

  /** A job asks once. */
  #ask(job: Job, asked: Amounts): void {
    if (job.asked !== undefined) return;
    job.asked = asked;
    void job.turn
      .take({ ...asked, memPerGpuGiB: 0 }, job.abort.signal, () => undefined)
      .then(
        (has) => Object.assign(job, { has }),
        (failure: unknown) => Object.assign(job, { failure }),
      );
  }

  #leave(job: Job, isAborted: boolean): void {
    this.jobs = this.jobs.filter((one) => one !== job);
    if (isAborted) job.abort.abort(new Error("over"));
    job.turn.leave();
  }

  /** Nothing may be given twice, or by halves, and each job must have it by the rule. */
  async #look(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    giveByReference(this.jobs, offered);
    for (const { who, has, hasAll, asked, failure } of this.jobs) {
      this.#must(`${who} has something: ${hasAll}`, (has !== undefined) === hasAll);
      this.#must(`${who} is not refused`, failure === undefined);
      if (has !== undefined)
        this.#must(`${who} has all that it asked for`, isDeepStrictEqual({ ...has, gpus: has.gpus.length }, { ...asked }));
    }
    const devices = this.jobs.flatMap(({ has }) => has?.gpus ?? []);
    this.#must("each GPU is one job's", new Set(devices).size === devices.length);
    const { gpus, forJobs } = this.#pool.offer();
    const free = { gpus: gpus.free, cpus: forJobs.freeCpus, memoryBytes: forJobs.freeMemoryBytes };
    for (const kind of ["gpus", "cpus", "memoryBytes"] as const) {
      const given = this.jobs.reduce((sum, { has, asked }) => sum + (has === undefined ? 0 : (asked?.[kind] ?? 0)), 0);
      this.#must(`no more ${kind} are given than there are`, given <= offered[kind]);
      this.#must(`the other ${kind} are free`, free[kind] === offered[kind] - given);
    }
  }

  #must(what: string, isSo: boolean): void {
    if (!isSo) this.faults.push(what);
  }
}
