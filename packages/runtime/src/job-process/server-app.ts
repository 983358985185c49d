import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readSafetensorsHeader } from "@flare-ts/aggregator/safetensors";
import { compileServerConfig, FlareError, hierarchyFilesOf, type ServerAppSettings, type SiteHierarchy } from "@flare-ts/contracts";
import { documentEndings, documentNames } from "../job/job-documents.js";
import { parseServerConfig } from "../job/parse-server-config.js";
import { inNoLevel, parseSiteHierarchy } from "../job/site-hierarchy-file.js";
import type { ServerJobDescription } from "./job-channel.js";

/** The server's app of a job, as it was laid out in the folder of its job process. */
export class ServerApp {
  readonly settings: ServerAppSettings;
  readonly #folder: string;

  private constructor(settings: ServerAppSettings, folder: string) {
    this.settings = settings;
    this.#folder = folder;
  }

  /** @throws FlareError `job/invalid` for mistakes in the configuration, or sites in no level of a hierarchy; `file/not-found` when there is none. */
  static async read(job: ServerJobDescription): Promise<ServerApp> {
    const folder = join(job.workspace, "app_server");
    const { text, file } = await readConfig(folder);
    const { document } = parseServerConfig(text, file);
    const hierarchies = new Map<string, SiteHierarchy>();
    for (const { path } of hierarchyFilesOf(document.value)) hierarchies.set(path, await readHierarchy(folder, path, job));
    return new ServerApp(compileServerConfig(document.value, job, hierarchies), folder);
  }

  /**
   * Path inside the app of the job's first model.
   *
   * @throws FlareError `file/not-found`, or `aggregate/safetensors-…` when the file is no model.
   */
  async initialModel(): Promise<string> {
    const { initialModel } = this.settings;
    if (initialModel === undefined) throw new TypeError("the schema lets no workflow that needs a model through without one");
    await readSafetensorsHeader(join(this.#folder, initialModel));
    return initialModel;
  }
}

/** A job for all sites that there are may have begun with one that its hierarchy does not know. */
async function readHierarchy(folder: string, path: string, { sites }: Pick<ServerJobDescription, "sites">): Promise<SiteHierarchy> {
  const document = parseSiteHierarchy(await readFile(join(folder, path), "utf8"), path);
  const problem = inNoLevel(document, sites, "the sites that take part");
  if (problem === undefined) return document.value;
  throw new FlareError("job/invalid", `${path}:${problem.line ?? 1}: ${problem.message}.`, {
    problems: [problem],
    facts: { file: path },
  });
}

async function readConfig(folder: string): Promise<{ readonly text: string; readonly file: string }> {
  for (const ending of documentEndings) {
    const file = join(folder, `${documentNames.server}${ending}`);
    try {
      return { text: await readFile(file, "utf8"), file };
    } catch (cause) {
      if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
    }
  }
  const file = join(folder, `${documentNames.server}.json`);
  throw new FlareError("file/not-found", `The server's app has no configuration: ${file} does not exist.`, { facts: { file } });
}
