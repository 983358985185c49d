import { compileMeta, FlareError, type JobMeta, type Json, jobMetaSchema } from "@flare-ts/contracts";
import { describe, expect, it } from "vitest";
import { planSimulation, type SimulationWishes } from "./plan-simulation.js";

const none: SimulationWishes = {
  count: undefined,
  names: undefined,
  threads: undefined,
  gpus: undefined,
  maxClients: 100,
  endsRunForAll: false,
};

function metaOf(change: { readonly [key: string]: Json } = {}): JobMeta {
  return compileMeta(jobMetaSchema.parse({ name: "job", deploy_map: { app: ["@ALL"] }, ...change }));
}

function failureOf(meta: JobMeta, wishes: Partial<SimulationWishes>): FlareError {
  try {
    planSimulation(meta, { ...none, ...wishes });
  } catch (error) {
    return FlareError.from(error);
  }
  throw new Error("nothing was refused");
}

const twoApps = { a: ["server", "north"], b: ["south"] };

describe("the sites of a simulation", () => {
  it.each([
    ["two where nobody says anything", {}, {}, ["site-1", "site-2"]],
    ["so many as -n says", {}, { count: 3 }, ["site-1", "site-2", "site-3"]],
    ["those that -c names", {}, { names: ["b", "a"] }, ["b", "a"]],
    ["those that -c names, of which -n is the number", {}, { names: ["b", "a"], count: 2 }, ["b", "a"]],
    ["those of the deploy map", { deploy_map: twoApps }, {}, ["north", "south"]],
    ["some of the deploy map", { deploy_map: twoApps }, { names: ["south"] }, ["south"]],
  ])("are %s", (_, change, wishes, names) => {
    const { sites, notes } = planSimulation(metaOf(change), { ...none, ...wishes });
    expect(sites.map(({ name }) => name)).toEqual(names);
    expect(notes).toEqual([]);
  });

  it.each([
    [{ names: ["a", "b"], count: 3 }, "-c names 2 sites and -n says 3"],
    [{ names: [] }, "-c names no site"],
    [{ names: ["a.b"] }, "'a.b' cannot be the name of a site: may hold letters"],
    [{ names: ["a", "A"] }, "'A' cannot be the name of a site: there is another of that name"],
    [{ names: ["Server"] }, "there is another of that name"],
    [{ count: 101 }, "-m allows more"],
    [{ count: 2, threads: 3 }, "-t says that 3 sites train at a time, and the run has 2"],
    [{ count: 1, gpus: ["0", "1"] }, "-gpu has GPUs for 2 sites, and the run has 1"],
  ])("are refused by what the command line says of them: %j", (wishes, message) => {
    const error = failureOf(metaOf(), wishes);
    expect(error.code).toBe("cli/invalid-arguments");
    expect(error.message).toContain(message);
  });

  it("are refused with everything in which the job does not fit them", () => {
    const meta = metaOf({ deploy_map: twoApps, min_clients: 2, mandatory_clients: ["north"] });
    const error = failureOf(meta, { names: ["south", "west"] });
    expect(error.code).toBe("simulator/sites-unfit");
    expect(error.problems.map(({ message }) => message)).toEqual([
      "the deploy_map of the job gives west no app",
      "the job does not begin without north (mandatory_clients)",
      "the job needs 2 sites (min_clients), and would have 1",
    ]);
  });

  it("are told what is otherwise than one may think", () => {
    expect(planSimulation(metaOf({ scope: "public" }), { ...none, threads: 1, endsRunForAll: true }).notes).toEqual([
      "-t 1: all 2 sites train at the same time, each in processes of its own; none is swapped out.",
      "The privacy scope 'public' filters nothing here: what it does is said by the sites that have it.",
      "--end_run_for_all changes nothing: every site always learns that the job is over.",
    ]);
  });
});

describe("the CPUs and the memory of a simulation", () => {
  const asking = metaOf({ resource_spec: { "@default": { num_of_cpus: 4, memory: "8Gi" }, "site-2": { num_of_cpus: 2 } } });
  const gibibyte = 2 ** 30;

  it("are what the job asks each site for, and a note tells where this machine has less", () => {
    const { sites, notes } = planSimulation(asking, none, { cpus: 4, memoryBytes: 12 * gibibyte });
    expect(sites).toMatchObject([
      { name: "site-1", cpus: 4, memoryBytes: 8 * gibibyte },
      { name: "site-2", cpus: 2, memoryBytes: 8 * gibibyte },
    ]);
    expect(notes).toEqual([
      "The job asks its sites for 6 CPUs together; they share 4 here.",
      "The job asks its sites for 16 GiB of memory together; they share 12 GiB here.",
    ]);
    expect(planSimulation(asking, none, { cpus: 6, memoryBytes: 16 * gibibyte }).notes).toEqual([]);
  });
});

describe("the GPUs of a simulation", () => {
  const asking = metaOf({ resource_spec: { "site-1": { num_of_gpus: 1, mem_per_gpu_in_GiB: 8 } } });

  it("go round among the sites", () => {
    const { sites } = planSimulation(metaOf(), { ...none, count: 3, gpus: ["0,1", "2"] });
    expect(sites.map(({ gpus, visibleGpus }) => [gpus, visibleGpus])).toEqual([
      [2, "0,1"],
      [1, "2"],
      [2, "0,1"],
    ]);
  });

  it("are as many as the job asks for where -gpu does not say it, and shared", () => {
    const { sites, notes } = planSimulation(asking, none);
    expect(sites).toMatchObject([
      { name: "site-1", gpus: 1, memPerGpuGiB: 8, visibleGpus: undefined },
      { name: "site-2", gpus: 0 },
    ]);
    expect(notes).toEqual(["The job asks for GPUs: without -gpu all sites use the same ones."]);
  });

  it("are refused when they are fewer than the job asks for", () => {
    const greedy = metaOf({ resource_spec: { "site-1": { num_of_gpus: 2, mem_per_gpu_in_GiB: 8 } } });
    expect(failureOf(greedy, { gpus: ["0"] }).problems).toEqual([
      { message: "the job asks site-1 for 2 GPUs (resource_spec), and -gpu gives it 1" },
    ]);
  });
});
