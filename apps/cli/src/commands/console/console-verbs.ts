import { nearestWord } from "@flare-ts/contracts";
import { LineMistake } from "./console-line.js";

/** A command of FLARE's console, and the command line of `flare` that does the same. */
export interface ConsoleVerb {
  readonly name: string;
  /** What stands behind it. */
  readonly takes: string;
  readonly summary: string;
  /** @throws LineMistake */
  readonly argv: (words: readonly string[]) => readonly string[];
}

/** FLARE's commands that are here. */
export const consoleVerbs: readonly ConsoleVerb[] = [
  verb("check_status", "server | client [site...]", "which sites are connected, and which jobs run", (words) => {
    const [target, ...sites] = words;
    if (target !== "server" && target !== "client") throw new LineMistake("check_status takes 'server' or 'client'.");
    return target === "server" ? ["system", "status"] : ["system", "status", "client", ...sites];
  }),
  verb("submit_job", "<folder>", "check, sign and send a job folder", ([folder, ...rest]) => [
    "job",
    "submit",
    "-j",
    given("submit_job", folder),
    ...rest,
  ]),
  verb("list_jobs", "[id prefix] [-n name] [-r] [-m n]", "jobs, oldest first", (words) => {
    const [first, ...rest] = words;
    return first === undefined || first.startsWith("-") ? ["job", "list", ...words] : ["job", "list", "-i", first, ...rest];
  }),
  verb("get_job_meta", "<job id>", "one job: who submitted it and when, its sites, and how far they are", plain("job", "meta")),
  verb("monitor_job", "<job id>", "a job's rounds, until it ends or Ctrl-C", plain("job", "monitor")),
  verb("get_job_log", "<job id> [site]", "log lines of sites that let theirs be read", ([id, site, ...rest]) => [
    "job",
    "logs",
    given("get_job_log", id),
    ...(site === undefined || site === "all" ? [] : ["--site", site]),
    ...rest,
  ]),
  verb("show_stats", "<job id>", "what training scripts track", plain("job", "metrics")),
  verb("download_job", "<job id> [folder]", "the result of a job", ([id, folder, ...rest]) => [
    "job",
    "download",
    given("download_job", id),
    ...(folder === undefined ? [] : folder.startsWith("-") ? [folder] : ["-o", folder]),
    ...rest,
  ]),
  verb("clone_job", "<job id>", "submit a job once more", plain("job", "clone")),
  verb("abort_job", "<job id>", "end a job", plain("job", "abort")),
  verb("delete_job", "<job id>", "delete a job that is over", plain("job", "delete")),
  verb("show_scopes", "", "privacy scopes of the sites", () => ["system", "status"]),
  verb("shutdown", "server | client | all [site...]", "end sites, the server or all; they stay down", plain("system", "shutdown")),
  verb("restart", "server | client | all [site...]", "end sites, the server or all, and have them start again", plain("system", "restart")),
  verb("disable_client", "<site...>", "keep sites out until they are enabled again", plain("system", "disable-client")),
  verb("enable_client", "<site...>", "let sites in again", plain("system", "enable-client")),
  verb(
    "report_resources",
    "server | client | all [site...]",
    "what server and sites run on, and what is free",
    plain("system", "resources"),
  ),
  verb("sys_info", "server | client [site...]", "the same", plain("system", "resources")),
  verb("report_version", "server | client | all [site...]", "versions of server and sites", (words) => [
    "system",
    "version",
    ...siteOption(words),
  ]),
  verb("configure_site_log", "server | client | all [site...] <level>", "how much running processes log", (words) => {
    const level = given("configure_site_log", words.at(-1));
    return ["system", "log-config", level, ...siteOption(words.slice(0, -1))];
  }),
  verb("list_studies", "", "the studies that you may see", plain("study", "list")),
  verb("show_study", "<study>", "sites and users of a study", plain("study", "show")),
  verb("register_study", "<study> --sites <site,...>", "make a study", plain("study", "register")),
  verb("remove_study", "<study>", "remove a study that has no jobs", plain("study", "remove")),
  verb("add_study_site", "<study> --sites <site,...>", "add sites to a study", plain("study", "add-site")),
  verb("remove_study_site", "<study> --sites <site,...>", "remove sites from a study", plain("study", "remove-site")),
  verb("add_study_user", "<study> <user>", "let an admin work in a study", plain("study", "add-user")),
  verb("remove_study_user", "<study> <user>", "let an admin not work in a study any more", plain("study", "remove-user")),
];

/** FLARE's commands that are not here, with what there is in their place. */
const elsewhere: Readonly<Record<string, string>> = {
  remove_client:
    "'restart client <site>' has a site register anew, 'disable_client' keeps it out until 'enable_client', and 'flare cert revoke' for good",
  show_errors: "'check_status client' names the last error of each site",
  reset_errors: "errors are told with their times, and nothing has to be forgotten",
  report_env: "'report_version' has the versions of each site, 'report_resources' what it runs on",
  configure_job_log: "'configure_site_log' is for the processes of server and sites; those of jobs log as they do",
  cat: "nothing of a site's files is read from afar",
  ls: "nothing of a site's files is read from afar",
  pwd: "nothing of a site's files is read from afar; 'lpwd' is the folder here",
  head: "nothing of a site's files is read from afar",
  tail: "nothing of a site's files is read from afar",
  grep: "nothing of a site's files is read from afar",
  delete_workspace: "a site removes a job's workspace by itself",
  timeout: "a command waits as long as something moves; --connect-timeout ends the attempt to connect",
};

/** Words that the console carries out by itself. */
export const consoleWords: Readonly<Record<string, string>> = {
  help: "this list, or what one command takes: help submit_job",
  info: "which admin, which study, which kit",
  lpwd: "the folder that paths start from",
  bye: "the end",
};

/** A word after `flare`. */
export interface FlareWord {
  readonly name: string;
  readonly aliases: readonly string[];
}

/** The command line of `flare` for a line's words. @throws LineMistake for what is no command */
export function argvOf([name = "", ...rest]: readonly string[], groups: readonly FlareWord[]): readonly string[] {
  const known = consoleVerbs.find((one) => one.name === name);
  if (known !== undefined) return known.argv(rest);
  if (name === "console") throw new LineMistake("This is the console.");
  if (groups.some((group) => group.name === name || group.aliases.includes(name))) return [name, ...rest];
  const instead = Object.hasOwn(elsewhere, name) ? elsewhere[name] : undefined;
  if (instead !== undefined) throw new LineMistake(`There is no ${name} here: ${instead}.`);
  const near = nearestWord(name, firstWords(groups));
  throw new LineMistake(`There is no command '${name}'${near === undefined ? "; help lists all" : `; did you mean '${near}'?`}`);
}

/** All first words of a line. */
export function firstWords(groups: readonly FlareWord[]): readonly string[] {
  return [...Object.keys(consoleWords), ...consoleVerbs.map(({ name }) => name), ...groups.map(({ name }) => name)].toSorted();
}

function verb(name: string, takes: string, summary: string, argv: ConsoleVerb["argv"]): ConsoleVerb {
  return { name, takes, summary, argv };
}

/** The same words behind another command. */
function plain(...command: readonly string[]): ConsoleVerb["argv"] {
  return (words) => [...command, ...words];
}

/** FLARE's words for whom a command is, as `--site` has them. */
function siteOption([target = "all", ...names]: readonly string[]): readonly string[] {
  return ["--site", names.length === 0 ? target : names.join(",")];
}

function given(name: string, word: string | undefined): string {
  if (word === undefined || word.startsWith("-")) throw new LineMistake(`${name} lacks what it is for; 'help ${name}' says what it takes.`);
  return word;
}
