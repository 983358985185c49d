import type { Project } from "../project/project.js";

/** What a builder or packager of the user's works on. */
export interface ProvisionContext {
  /** The project with every default filled in; its `document` is the project file as it was written. */
  readonly project: Project;
  /** Folder of the kits: one that becomes `prod_NN` once everything is right, and `prod_NN` itself for a packager. */
  readonly kitsDir: string;
  /** Folder that stays from one run to the next, for what a builder has to remember; it makes it itself. */
  readonly resourcesDir: string;
  /** Things that builders leave for each other, by a name that they agree on. */
  readonly shared: Map<string, unknown>;
  /** Aborts when the run is stopped. */
  readonly signal: AbortSignal;
  /** Folder of a participant's kit: `startup`, `local` and `transfer` are in it. */
  kitDir(participant: string): string;
  /** Tells who provisions; stands among the warnings, at the line of the project file that names the module. */
  warn(message: string): void;
}

/** `args` of the project file. */
export type PluginArguments = Readonly<Record<string, unknown>>;

/**
 * Adds to the kits, or changes them. All builders are initialized in the order of the project file before there is any kit,
 * then they build in that order, with every kit written, then they finalize in the reverse order. The startup folders are
 * signed after that. When one throws, no kit is left.
 */
export interface KitBuilder {
  initialize?(context: ProvisionContext, args: PluginArguments): void | Promise<void>;
  build?(context: ProvisionContext, args: PluginArguments): void | Promise<void>;
  finalize?(context: ProvisionContext, args: PluginArguments): void | Promise<void>;
}

/** Does something with the finished kits; when it throws, they stay, complete. */
export interface KitPackager {
  package(context: ProvisionContext, args: PluginArguments): void | Promise<void>;
}
