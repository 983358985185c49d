import { join } from "node:path";
import type { Problem } from "@flare-ts/contracts";
import type { Project } from "../project/project.js";
import { type LoadedPlugin, loadPlugin } from "./load-plugin.js";
import type { ProvisionContext } from "./provision-plugin.js";

interface PluginsInit {
  readonly project: Project;
  /** Folder that modules lie below. */
  readonly customFolder: string;
  /** Folder of the project in the workspace. */
  readonly projectDir: string;
  readonly signal: AbortSignal | undefined;
}

/** The builders and the packager of a project's own, in the order in which FLARE calls them. */
export class ProjectPlugins {
  readonly #init: PluginsInit;
  readonly #builders: readonly LoadedPlugin[];
  readonly #packager: LoadedPlugin | undefined;
  readonly #shared = new Map<string, unknown>();
  readonly #warnings: Problem[] = [];

  constructor(init: PluginsInit, plugins: { readonly builders: readonly LoadedPlugin[]; readonly packager: LoadedPlugin | undefined }) {
    this.#init = init;
    this.#builders = plugins.builders;
    this.#packager = plugins.packager;
  }

  /** @throws FlareError `project/invalid` with the line of a module that is none; `project/plugin-failed`. */
  static async load(init: PluginsInit): Promise<ProjectPlugins> {
    const { builders, packager } = init.project.plugins;
    const loaded: LoadedPlugin[] = [];
    for (const reference of builders) loaded.push(await loadPlugin(reference, init.customFolder, ["initialize", "build", "finalize"]));
    return new ProjectPlugins(init, {
      builders: loaded,
      packager: packager === undefined ? undefined : await loadPlugin(packager, init.customFolder, ["package"]),
    });
  }

  get hasBuilders(): boolean {
    return this.#builders.length > 0;
  }

  /** What they had to say. */
  get warnings(): readonly Problem[] {
    return this.#warnings;
  }

  /** @param kitsDir where the kits will be made; it does not exist yet. */
  async initialize(kitsDir: string): Promise<void> {
    await this.#callEach(this.#builders, "initialize", kitsDir);
  }

  /** Builds in the order of the project file, and finalizes in the reverse order. */
  async build(kitsDir: string): Promise<void> {
    await this.#callEach(this.#builders, "build", kitsDir);
    await this.#callEach(this.#builders.toReversed(), "finalize", kitsDir);
  }

  async package(prodDir: string): Promise<void> {
    if (this.#packager !== undefined) await this.#callEach([this.#packager], "package", prodDir);
  }

  async #callEach(plugins: readonly LoadedPlugin[], method: string, kitsDir: string): Promise<void> {
    for (const plugin of plugins) {
      this.#init.signal?.throwIfAborted();
      await plugin.call(method, this.#contextOf(plugin, kitsDir), plugin.reference.args);
    }
  }

  #contextOf({ reference }: LoadedPlugin, kitsDir: string): ProvisionContext {
    const { project, projectDir, signal } = this.#init;
    const names = new Set(project.participants.map(({ name }) => name));
    return {
      project,
      kitsDir,
      resourcesDir: join(projectDir, "resources"),
      shared: this.#shared,
      signal: signal ?? new AbortController().signal,
      kitDir: (name) => {
        if (!names.has(name)) throw new RangeError(`'${name}' is no participant with a kit`);
        return join(kitsDir, name);
      },
      warn: (message) => {
        this.#warnings.push(reference.problem(message));
      },
    };
  }
}
