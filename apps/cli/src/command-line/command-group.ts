import type { Command } from "commander";
import type { BindHandler } from "./bind-handler.js";

/** A word after `flare` and everything below it. */
export interface CommandGroup {
  readonly name: string;
  /** Other words for it. */
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** Gives the group's commands, options and help to the program; called only when the command line names the group. */
  readonly load: () => Promise<(group: Command, bind: BindHandler) => void>;
}

/** Every group, in the order of the help. */
export const commandGroups: readonly CommandGroup[] = [
  {
    name: "provision",
    summary: "make certificates and startup kits from project.yml",
    load: async () => (await import("../commands/provision/provision-command.js")).addProvisionCommand,
  },
  {
    name: "cert",
    summary: "certificates: status, revocation, replacing the root; requests for keys that stay where they were made",
    load: async () => (await import("../commands/cert/cert-commands.js")).addCertCommands,
  },
  {
    name: "package",
    summary: "make a startup kit from an approved request",
    load: async () => (await import("../commands/package/package-command.js")).addPackageCommand,
  },
  {
    name: "server",
    summary: "start, stop and look at the server of a federation",
    load: async () => (await import("../commands/service/service-commands.js")).addServerCommands,
  },
  {
    name: "client",
    summary: "start, stop and look at a site",
    load: async () => (await import("../commands/service/service-commands.js")).addClientCommands,
  },
  {
    name: "relay",
    summary: "start, stop and look at a relay: a process between sites and the server",
    load: async () => (await import("../commands/service/service-commands.js")).addRelayCommands,
  },
  {
    name: "preflight",
    aliases: ["preflight-check"],
    summary: "look at a kit and its surroundings before it is started",
    load: async () => (await import("../commands/preflight/preflight-command.js")).addPreflightCommand,
  },
  {
    name: "job",
    summary: "submit, list, monitor, download, repeat, abort and delete jobs; their metrics and logs",
    load: async () => (await import("../commands/job/job-commands.js")).addJobCommands,
  },
  {
    name: "recipe",
    summary: "whole jobs of the usual kinds, for scripts in Python that define a job",
    load: async () => (await import("../commands/recipe/recipe-commands.js")).addRecipeCommands,
  },
  {
    name: "study",
    summary: "groups of sites and admins that see nothing of each other's jobs",
    load: async () => (await import("../commands/study/study-commands.js")).addStudyCommands,
  },
  {
    name: "console",
    summary: "give an admin's commands one after another, also under the names that they have in FLARE's console",
    load: async () => (await import("../commands/console/console-command.js")).addConsoleCommand,
  },
  {
    name: "aggregate",
    summary: "average safetensors files into a new model",
    load: async () => (await import("../commands/aggregate/aggregate-command.js")).addAggregateCommand,
  },
  {
    name: "doctor",
    summary: "say what runs on this machine, and what to do for what does not",
    load: async () => (await import("../commands/doctor/doctor-commands.js")).addDoctorCommands,
  },
  {
    name: "gpu",
    summary: "put in place what aggregation on a GPU needs",
    load: async () => (await import("../commands/gpu/gpu-commands.js")).addGpuCommands,
  },
  {
    name: "dashboard",
    summary: "a web page to invite people, hand out kits, and watch the federation work",
    load: async () => (await import("../commands/dashboard/dashboard-commands.js")).addDashboardCommands,
  },
  {
    name: "simulator",
    summary: "run one job on this machine, from its folder to its model, with sites that exist only for it",
    load: async () => (await import("../commands/simulator/simulator-command.js")).addSimulatorCommand,
  },
  {
    name: "poc",
    summary: "a whole federation on this machine, with real processes and real certificates",
    load: async () => (await import("../commands/poc/poc-commands.js")).addPocCommands,
  },
  {
    name: "chaos",
    summary: "let a job run on copies of the POC federation while processes, links, disks and clocks fail",
    load: async () => (await import("../commands/chaos/chaos-command.js")).addChaosCommand,
  },
  {
    name: "system",
    summary: "look at a running federation",
    load: async () => (await import("../commands/system/system-commands.js")).addSystemCommands,
  },
];
