import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { readInstance } from "@flare-ts/runtime";
import { descendantsOf, type ProcessEntry } from "./process-tree.js";

export interface SupervisedServiceInit {
  readonly name: string;
  readonly kind: "server" | "client";
  /** The `flare` command: the Node binary and the script. */
  readonly command: FlareCommand;
  /** Further arguments of `flare <kind> start <kit>`. */
  readonly args: readonly string[];
  /** Environment variables, beside those of this process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Its output goes here. */
  readonly logFile: string;
}

/** How to call `flare`. */
export interface FlareCommand {
  readonly node: string;
  readonly cli: string;
}

/** As an operator's `Restart=always` and `RestartSec=300ms`. */
const restartMs = 300;
/** A process that was asked to stop is given so long. */
const stopMs = 20_000;
const shownLines = 10;

/** A server or a site in the foreground, started again whenever it ends, as a service manager does. */
export class SupervisedService {
  readonly name: string;
  readonly #init: SupervisedServiceInit;
  /** Folder of the kit, which a fault may replace. */
  #kit: string;
  #child: ChildProcess | undefined;
  #starts = 0;
  #hold: Promise<unknown> | undefined;
  #loop: Promise<void> | undefined;
  #isStopping = false;

  constructor(init: SupervisedServiceInit & { readonly kit: string }) {
    this.name = init.name;
    this.#init = init;
    this.#kit = init.kit;
  }

  get kind(): "server" | "client" {
    return this.#init.kind;
  }

  /** Folder of its kit. */
  get kit(): string {
    return this.#kit;
  }

  /** Number of its process, when that runs. */
  get pid(): number | undefined {
    const { pid, exitCode, signalCode } = this.#child ?? {};
    return exitCode === null && signalCode === null ? pid : undefined;
  }

  /** How often its process was started. */
  get starts(): number {
    return this.#starts;
  }

  /** Whether its process says that it is ready. */
  get isReady(): boolean {
    const instance = readInstance(this.#kit);
    return instance?.state === "ready" && instance.pid === this.pid;
  }

  start(): void {
    this.#isStopping = false;
    this.#loop = this.#run();
  }

  /** Processes below its own. */
  descendants(): readonly ProcessEntry[] {
    return this.pid === undefined ? [] : descendantsOf(this.pid);
  }

  /** Kills its process alone, and keeps it from being started again before `hold` has settled. */
  async kill(hold?: Promise<unknown>): Promise<number | undefined> {
    const { pid } = this;
    if (pid === undefined) return undefined;
    this.#hold = hold;
    const child = this.#child;
    child?.kill("SIGKILL");
    if (child !== undefined && child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return pid;
  }

  /** The end of what it printed. */
  async lastLines(): Promise<readonly string[]> {
    const text = await readFile(this.#init.logFile, "utf8").catch(() => "");
    return text.trimEnd().split("\n").slice(-shownLines);
  }

  /** The next start is from another folder. */
  moveTo(kit: string): void {
    this.#kit = kit;
  }

  /** Asks the process to stop, and kills it when it does not. */
  async stop(): Promise<"stopped" | "killed"> {
    this.#isStopping = true;
    const child = this.#child;
    child?.kill("SIGTERM");
    const timer = setTimeout(() => child?.kill("SIGKILL"), stopMs);
    await this.#loop;
    clearTimeout(timer);
    return child?.signalCode === "SIGKILL" ? "killed" : "stopped";
  }

  async #run(): Promise<void> {
    const { kind, command, args, environment, logFile } = this.#init;
    while (!this.#isStopping) {
      const log = openSync(logFile, "a", 0o600);
      this.#child = spawn(command.node, [command.cli, kind, "start", this.#kit, ...args], {
        env: { ...process.env, ...environment },
        stdio: ["ignore", log, log],
        // A Ctrl-C at the terminal is for whoever started this, who stops its services in order.
        detached: true,
      });
      closeSync(log);
      this.#starts += 1;
      await once(this.#child, "exit");
      await this.#hold;
      this.#hold = undefined;
      if (!this.#isStopping) await sleep(restartMs);
    }
  }
}
