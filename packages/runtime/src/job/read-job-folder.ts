import { readFile, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { compileMeta, FlareError, type JobMeta, limits, type Problem, runsCommand, serverTarget } from "@flare-ts/contracts";
import { type AppConfigs, checkApps, listedSites } from "./check-apps.js";
import { checkHierarchies } from "./check-hierarchies.js";
import { checkInitialModels } from "./check-initial-models.js";
import { documentEndings, documentNames, type JobDocument, parseClientConfig, parseJobMeta } from "./job-documents.js";
import type { JobApp, JobFolder, JobFolderFile } from "./job-folder.js";
import { parseServerConfig } from "./parse-server-config.js";
import { walkJobFolder } from "./walk-job-folder.js";

/**
 * Reads a job folder (`meta.json`, app folders with `config/` and `custom/`) and checks everything in it and between its
 * files. Aborting stops with the signal's reason.
 *
 * @throws FlareError `job/invalid` with all mistakes of all files, each with file and line where there is one;
 * `file/not-found` when there is no such folder.
 */
export async function readJobFolder(folder: string, options: { readonly signal?: AbortSignal } = {}): Promise<JobFolder> {
  const root = resolve(folder);
  const entry = await stat(root).catch(() => undefined);
  if (entry?.isDirectory() !== true) {
    const what = entry === undefined ? `There is no job folder ${root}` : `${root} is a file; a job is a folder with a meta.json`;
    throw new FlareError("file/not-found", `${what}.`, { facts: { path: root } });
  }
  const { files, problems } = await walkJobFolder(root, options.signal);
  if (problems.length > 0) throw invalid(root, problems);
  return new JobFolderReader(root, files).read();
}

class JobFolderReader {
  readonly #root: string;
  readonly #files: ReadonlyMap<string, JobFolderFile>;
  readonly #problems: Problem[] = [];
  readonly #warnings: Problem[] = [];

  constructor(root: string, files: readonly JobFolderFile[]) {
    this.#root = root;
    this.#files = new Map(files.map((file) => [file.path, file]));
  }

  async read(): Promise<JobFolder> {
    const metaFile = this.#find("", documentNames.meta);
    if (metaFile === undefined) {
      this.#problems.push({ file: "meta.json", message: "is missing" });
      throw invalid(this.#root, this.#problems);
    }
    const meta = await this.#parse(metaFile, parseJobMeta);
    const apps = meta === undefined ? this.#guessApps() : this.#appsOf(compileMeta(meta.value));
    const configs: AppConfigs[] = [];
    for (const app of apps) configs.push(await this.#readApp(app));
    if (meta !== undefined) {
      this.#problems.push(...checkApps({ meta, configs, files: this.#files }));
    }
    this.#problems.push(...(await checkInitialModels(configs, this.#files)));
    const sites = meta === undefined ? undefined : listedSites(meta.value);
    this.#problems.push(...(await checkHierarchies({ sites, configs, files: this.#files })));
    if (meta === undefined || this.#problems.length > 0) throw invalid(this.#root, this.#problems);
    return {
      name: meta.value.name,
      folderName: basename(this.#root),
      meta: compileMeta(meta.value),
      apps: configs.map(({ app, client }) => ({
        ...app,
        bringsCode: app.bringsCode || (client !== undefined && runsCommand(client.value)),
      })),
      files: [...this.#files.values()],
      warnings: this.#warnings,
    };
  }

  async #readApp(app: JobApp): Promise<AppConfigs> {
    const serverFile = this.#find(`${app.name}/`, documentNames.server);
    const clientFile = this.#find(`${app.name}/`, documentNames.client);
    return {
      app,
      hasServerFile: serverFile !== undefined,
      hasClientFile: clientFile !== undefined,
      server: await this.#parse(serverFile, parseServerConfig),
      client: await this.#parse(clientFile, parseClientConfig),
    };
  }

  /** The one file of that base name; FLARE reads HOCON too, which we do not. */
  #find(prefix: string, name: string): string | undefined {
    const found = documentEndings.map((ending) => `${prefix}${name}${ending}`).filter((path) => this.#files.has(path));
    if (this.#files.has(`${prefix}${name}.conf`)) {
      this.#problems.push({ file: `${prefix}${name}.conf`, message: `HOCON is not supported; write ${basename(name)}.json or .yml` });
    }
    const [first, second] = found;
    if (second !== undefined) this.#problems.push({ file: second, message: `stands beside ${first}; leave one of them` });
    return first;
  }

  async #parse<T>(
    path: string | undefined,
    parse: (text: string, file: string) => JobDocument<T>,
  ): Promise<JobDocument<T>["document"] | undefined> {
    const file = path === undefined ? undefined : this.#files.get(path);
    if (path === undefined || file === undefined) return undefined;
    if (file.size > limits.documentBytes) {
      this.#problems.push({ file: path, message: `has ${file.size} bytes; ${limits.documentBytes} are allowed` });
      return undefined;
    }
    try {
      const { document, warnings } = parse(await readFile(file.absolutePath, "utf8"), path);
      this.#warnings.push(...warnings);
      return document;
    } catch (reason) {
      if (!(reason instanceof FlareError)) throw reason;
      this.#problems.push(...reason.problems);
      return undefined;
    }
  }

  #appsOf(meta: JobMeta): JobApp[] {
    return Object.entries(meta.deployMap).map(([name, targets]) => ({
      name,
      runsOnServer: targets === "@ALL" || targets.includes(serverTarget),
      runsOnSites: targets === "@ALL" || targets.some((target) => target !== serverTarget),
      bringsCode: this.#hasFolder(`${name}/custom`),
    }));
  }

  /** Without a readable `meta.json` the folders with a configuration are read nevertheless, so that all mistakes show at once. */
  #guessApps(): JobApp[] {
    const names = new Set(
      [...this.#files.keys()].filter((path) => /^[^/]+\/config\//.test(path)).map((path) => path.slice(0, path.indexOf("/"))),
    );
    return [...names].map((name) => ({ name, runsOnServer: false, runsOnSites: false, bringsCode: this.#hasFolder(`${name}/custom`) }));
  }

  #hasFolder(path: string): boolean {
    for (const file of this.#files.keys()) if (file.startsWith(`${path}/`)) return true;
    return false;
  }
}

function invalid(root: string, problems: readonly Problem[]): FlareError {
  const count = problems.length === 1 ? "a mistake" : `${problems.length} mistakes`;
  return new FlareError("job/invalid", `The job folder ${basename(root)} has ${count}.`, { problems, facts: { folder: root } });
}
