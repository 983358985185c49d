import { setTimeout as sleep } from "node:timers/promises";
import { FlareError, limits } from "@flare-ts/contracts";
import { errorField, type Logger } from "../logging/logger.js";
import { settlesWithin } from "../process/deadline.js";
import type { JobLauncher, JobProcess } from "./job-launcher.js";
import { type CallHandlers, RpcPeer, type RpcSide } from "./rpc-peer.js";

export interface JobSupervisorComponents {
  readonly launcher: JobLauncher;
  readonly logger: Logger;
}

export interface JobSupervisorInit<Parent extends RpcSide> {
  readonly kind: "server" | "site";
  readonly jobId: string;
  /** The job process may write here and nowhere else. */
  readonly workspace: string;
  /** Further files and folders that the job process may read. */
  readonly readable: readonly string[];
  readonly handlers: CallHandlers<Parent["calls"]>;
  /** The process has died and is being started again. */
  readonly onRestart: (reason: string) => void;
  /** The process died `limits.restarts` times in a row without getting anything done; it is not started again. */
  readonly onGivenUp: (error: FlareError) => void;
}

/** First and longest wait before the process is started again; it doubles with each death of a process that lived for less. */
const firstRestartMs = 50;
const maxRestartMs = 5_000;
const defaultGraceMs = 5_000;

/** Calls that a process makes before it has done anything, or because it cannot. */
const inVain = new Set(["begin", "interrupt", "secrets", "taskProgress"]);

/**
 * Keeps one job process alive until it is stopped: starts it again when it dies, and gives up when it keeps dying without
 * getting anything done. Calls of `inVain` do not count as done; any other does: whatever killed it then is not the job's fault.
 */
export class JobSupervisor<Parent extends RpcSide, Job extends RpcSide> {
  readonly #parts: JobSupervisorComponents;
  readonly #init: JobSupervisorInit<Parent>;
  #deathsInVain = 0;
  #current: { readonly process: JobProcess; readonly rpc: RpcPeer<Parent, Job> } | undefined;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(components: JobSupervisorComponents, init: JobSupervisorInit<Parent>) {
    this.#parts = components;
    this.#init = init;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Tells the job process something; dropped when it is down, as it hears everything anew when it begins. */
  notify<Name extends keyof Job["notices"] & string>(name: Name, params: Job["notices"][Name]): void {
    this.#current?.rpc.notify(name, params);
  }

  /** Closes the channel, upon which the job process ends by itself. */
  hangUp(): void {
    this.#current?.rpc.close();
  }

  /** Ends the job process: `ask` asks it politely, then a signal, then a kill, each after the grace (5 s unless it is given). */
  async stop(ask: () => void = () => undefined, graceMs = defaultGraceMs): Promise<void> {
    this.#stopping.abort();
    const current = this.#current;
    if (current !== undefined) {
      ask();
      if (!(await settlesWithin(current.process.exited, graceMs))) current.process.kill("SIGTERM");
      if (!(await settlesWithin(current.process.exited, graceMs))) current.process.kill("SIGKILL");
    }
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { launcher, logger } = this.#parts;
    const { kind, jobId, workspace, readable, handlers, onRestart, onGivenUp } = this.#init;
    let delayMs = firstRestartMs;
    while (!this.#stopping.signal.aborted) {
      let reason: string;
      const startedMs = performance.now();
      try {
        const process = await launcher.launch({ kind, jobId, workspace, readable });
        const rpc = new RpcPeer<Parent, Job>({ channel: process.channel }, { handlers: this.#noting(handlers), listeners: {} as never });
        this.#current = { process, rpc };
        // It may have been stopped while the process was being started.
        if (this.#stopping.signal.aborted) process.kill("SIGKILL");
        rpc.start();
        logger.info("job process started", { pid: process.pid });
        const { code, signal } = await process.exited;
        reason = signal === null ? `exit status ${code}` : `signal ${signal}`;
      } catch (error) {
        logger.error("job process could not be started", { error: errorField(error) });
        reason = FlareError.from(error).message;
      }
      this.#current = undefined;
      if (this.#stopping.signal.aborted) return;
      logger.warn("job process died", { reason });
      this.#deathsInVain += 1;
      if (this.#deathsInVain >= limits.restarts) {
        onGivenUp(
          new FlareError("runtime/job-process-died", `The job process died ${limits.restarts} times in a row, last by ${reason}.`, {
            facts: { jobId, reason },
          }),
        );
        return;
      }
      onRestart(reason);
      if (performance.now() - startedMs > maxRestartMs) delayMs = firstRestartMs;
      await sleep(delayMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      delayMs = Math.min(delayMs * 2, maxRestartMs);
    }
  }

  #noting(handlers: CallHandlers<Parent["calls"]>): CallHandlers<Parent["calls"]> {
    const noted = Object.entries<(params: unknown) => unknown>(handlers as never).map(([name, answer]) => [
      name,
      (params: unknown): unknown => {
        if (!inVain.has(name)) this.#deathsInVain = 0;
        return answer(params);
      },
    ]);
    return Object.fromEntries(noted) as CallHandlers<Parent["calls"]>;
  }
}
