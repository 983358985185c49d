import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import type { Duplex } from "node:stream";
import { FlareError, limits } from "@flare-ts/contracts/errors";
import { versionMismatch } from "../client/bootstrap.js";
import { checkTrainerMessage } from "../client/check-message.js";
import { LineChannel, type RawMessage } from "../client/line-channel.js";
import {
  type LogMessage,
  protocolVersion,
  type ResultMessage,
  type TaskMessage,
  type TrainerMessage,
  type WelcomeMessage,
} from "../client/protocol.js";
import { settlesWithin } from "../process/deadline.js";
import type { StallClock } from "../progress/stall-clock.js";
import { type Stall, StallWatch } from "../progress/stall-watch.js";
import { capPeerText } from "../session/peer-text.js";
import { whenThereIsRoom } from "../store/when-there-is-room.js";
import { BoundedLog } from "./bounded-log.js";
import { readOutputTail } from "./output-tail.js";
import { signalGroup } from "./signal-group.js";
import type { TrainerCommand } from "./trainer-command.js";
import { readStack, stackSignal } from "./trainer-stack.js";

/** What is heard of a trainer that moves. */
export interface TrainerMove {
  /** Steps that the script counts itself; 0 where it counts none. */
  readonly done: number;
  readonly total: number;
  /** Such as `its output of loss`, for people. */
  readonly what: string;
}

export interface TrainerInit {
  readonly clock: StallClock;
  readonly command: TrainerCommand;
  readonly welcome: WelcomeMessage;
  readonly launchTimeoutMs: number;
  /** A task that does not move for so long ends the trainer; one that sends no heartbeats is not judged by it. */
  readonly stallMs: number;
  readonly stopGracePeriodMs: number;
  /** Values that its environment has and that stand in no report of ours. */
  readonly secrets: readonly string[];
  /** Where the trainer's output goes; it is appended to. */
  readonly logFile: string;
  onLog(message: LogMessage): void;
  /** The open task has moved. */
  onMove(move: TrainerMove): void;
  /** A result came that nobody waits for. */
  onUnwanted(message: ResultMessage): void;
}

/** Starts a trainer in a process group of its own; it has not said anything yet. @throws FlareError `client-api/launch-failed` */
export async function spawnTrainer(init: TrainerInit): Promise<TrainerProcess> {
  const { file, args, env, cwd } = init.command;
  const log = await whenThereIsRoom(() => open(init.logFile, "a"));
  const { size: logStart } = await log.stat();
  try {
    const child = spawn(file, args, { env: { ...env }, cwd, detached: true, stdio: ["ignore", log.fd, log.fd, "pipe"] });
    // Made before anything is awaited: a trainer may end at once.
    const trainer = new TrainerProcess({ child }, { ...init, logStart });
    await once(child, "spawn");
    return trainer;
  } catch (cause) {
    throw new FlareError("client-api/launch-failed", `${file} could not be started: ${(cause as Error).message}`, {
      facts: { file },
      cause,
    });
  } finally {
    await log.close();
  }
}

interface OpenTask {
  readonly taskId: string;
  /** Of a trainer that sends heartbeats. */
  readonly watch: StallWatch | undefined;
  /** Whether the script has said by `progress` how it moves: then nothing else of the client's own counts. */
  isToldByScript: boolean;
  take(message: ResultMessage): void;
  fail(error: FlareError): void;
}

/** A running trainer and the channel to it. */
export class TrainerProcess {
  readonly #child: ChildProcess;
  readonly #init: TrainerInit & { readonly logStart: number };
  readonly #channel: LineChannel;
  readonly #exited: Promise<void>;
  #hasGreeted = false;
  #sendsHeartbeats = false;
  #stackSignal: string | undefined;
  #isGone = false;
  #violation: FlareError | undefined;
  #open: OpenTask | undefined;
  #wakeStart: () => void = () => {};

  constructor(components: { readonly child: ChildProcess }, init: TrainerInit & { readonly logStart: number }) {
    this.#child = components.child;
    this.#init = init;
    const log = new BoundedLog({ file: init.logFile, mostBytes: limits.trainerLogBytes });
    components.child.once("error", () => {
      if (components.child.pid === undefined) void log.stop();
    });
    this.#exited = new Promise((resolve) => {
      components.child.once("exit", () => {
        // What the trainer has started goes with it.
        this.kill();
        this.#isGone = true;
        void log.stop();
        void this.#failOpenTask();
        resolve();
      });
    });
    this.#channel = new LineChannel(
      { stream: components.child.stdio[3] as Duplex },
      { onMessage: (raw) => this.#takeRaw(raw), onClose: (error) => this.#fail(error) },
    );
  }

  /** Whether tasks can be delivered to it. */
  get isReachable(): boolean {
    return !this.#isGone && this.#channel.isOpen;
  }

  /**
   * Waits for `hello` and answers it.
   *
   * @throws FlareError `client-api/launch-timeout`, `client-api/trainer-died`, `client-api/version-mismatch`,
   *   `client-api/protocol-violation`; the reason of the signal when it is aborted
   */
  async start(signal: AbortSignal): Promise<void> {
    this.#channel.start();
    const greeted = new Promise<void>((resolve) => {
      this.#wakeStart = resolve;
    });
    const isInTime = await settlesWithin(Promise.race([greeted, this.#exited, aborted(signal)]), this.#init.launchTimeoutMs);
    signal.throwIfAborted();
    if (this.#violation !== undefined) throw this.#violation;
    if (this.#hasGreeted) return;
    // A process that ends closes its channel first; how it ended is the better reason.
    if (isInTime) await settlesWithin(this.#exited, this.#init.stopGracePeriodMs);
    if (this.#isGone) throw await this.#death();
    const seconds = this.#init.launchTimeoutMs / 1000;
    const output = await this.#output();
    throw isInTime
      ? new FlareError("client-api/trainer-died", "The trainer closed its channel before it called init().", { facts: { output } })
      : new FlareError("client-api/launch-timeout", `The trainer did not call init() within ${seconds} s.`, { facts: { seconds, output } });
  }

  /**
   * Delivers a task and waits for a result that `take` accepts; one that it refuses is sent back to the script with the reason.
   *
   * @throws FlareError `client-api/trainer-died`, `client-api/trainer-stalled`, `client-api/protocol-violation`; the reason of the
   *   signal when it is aborted, after which a late result is dropped
   */
  async exchange<T>(task: TaskMessage, take: (message: ResultMessage) => Promise<T>, signal: AbortSignal): Promise<T> {
    const taskId = task.task_id;
    const answered = new Promise<T>((resolve, reject) => {
      const refuseOrFail = (reason: unknown): void => {
        if (reason instanceof FlareError) this.#channel.send({ type: "result_refused", task_id: taskId, error: reason.toJSON() });
        else reject(reason);
      };
      const watch = this.#sendsHeartbeats ? this.#watchTask() : undefined;
      this.#open = {
        taskId,
        watch,
        isToldByScript: false,
        take: (message) => void take(message).then(resolve, refuseOrFail),
        fail: reject,
      };
    });
    if (this.#isGone) void this.#failOpenTask();
    else this.#channel.send(task);
    try {
      return await Promise.race([answered, aborted(signal)]);
    } catch (error) {
      this.#channel.send({ type: "cancel", task_id: taskId });
      throw error;
    } finally {
      this.#open?.watch?.stop();
      this.#open = undefined;
    }
  }

  /** Tells the trainer, which waits for it, that its result is durable, or that it is not wanted. */
  acknowledge(taskId: string, accepted = true): void {
    this.#channel.send({ type: "result_ack", task_id: taskId, accepted });
  }

  /** Ends the trainer: `stop`, then SIGTERM, then SIGKILL to its whole group, each after the grace period. */
  async stop(reason: string): Promise<void> {
    this.#channel.send({ type: "stop", reason });
    const graceMs = this.#init.stopGracePeriodMs;
    if (await settlesWithin(this.#exited, graceMs)) return;
    this.#signal("SIGTERM");
    if (!(await settlesWithin(this.#exited, graceMs))) this.kill();
    await this.#exited;
  }

  /** Ends the whole group, at once or by SIGTERM first; resolves when the trainer is gone. */
  async end(isGentle = false): Promise<void> {
    if (isGentle) this.#signal("SIGTERM");
    if (isGentle) await settlesWithin(this.#exited, this.#init.stopGracePeriodMs);
    this.kill();
    await this.#exited;
  }

  /** Ends the whole group at once. */
  kill(): void {
    this.#signal("SIGKILL");
  }

  /** The number of one that is gone, whose group went with it, may be that of another's group by now. */
  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined && !this.#isGone) signalGroup(this.#child.pid, signal);
  }

  #takeRaw(raw: RawMessage): void {
    try {
      const message = checkTrainerMessage(raw);
      if (message !== undefined) this.#take(message);
    } catch (error) {
      this.#channel.violated(FlareError.from(error));
    }
  }

  #take(message: TrainerMessage): void {
    if (message.type === "hello") {
      if (message.protocol_version !== protocolVersion) throw versionMismatch(message.protocol_version);
      if (this.#hasGreeted) throw new FlareError("client-api/protocol-violation", "The trainer sent 'hello' twice.");
      this.#hasGreeted = true;
      this.#sendsHeartbeats = message.heartbeats === true;
      this.#stackSignal = message.stack_signal;
      this.#channel.send(this.#init.welcome);
      this.#wakeStart();
      return;
    }
    if (!this.#hasGreeted) throw new FlareError("client-api/protocol-violation", `The trainer sent '${message.type}' before 'hello'.`);
    if (message.type === "heartbeat") {
      if (message.moved && this.#open?.isToldByScript === false) this.#moved(0, 0, "a heartbeat that found it at work");
    } else if (message.type === "progress") {
      if (this.#open !== undefined) this.#open.isToldByScript = true;
      const { done = 0, total = 0, note } = message;
      this.#moved(done, total, note === undefined ? "its progress()" : capPeerText(note));
    } else if (message.type === "log") {
      this.#moved(0, 0, `its output of ${capPeerText(message.key)}`);
      this.#init.onLog(message);
    } else if (message.task_id === this.#open?.taskId) {
      this.#open.watch?.mark("its result");
      this.#open.take(message);
    } else {
      this.#init.onUnwanted(message);
      this.#channel.send({ type: "result_ack", task_id: message.task_id, accepted: false });
    }
  }

  #moved(done: number, total: number, what: string): void {
    if (this.#open === undefined) return;
    this.#open.watch?.mark(what);
    this.#init.onMove({ done, total, what });
  }

  #watchTask(): StallWatch {
    const { clock, stallMs } = this.#init;
    return new StallWatch(
      { clock },
      { stallMs, first: "the task's arrival", onStall: (stall) => void this.#endStalled(stall).catch(() => this.kill()) },
    );
  }

  /** Says where a trainer stands that does not move any more, and ends it. */
  async #endStalled({ last, sinceMs, stillMs }: Stall): Promise<void> {
    const since = new Date(sinceMs).toISOString();
    const seconds = Math.round(stillMs / 1000);
    const task = this.#open;
    const { logFile: file, secrets } = this.#init;
    const { pid } = this.#child;
    const output = await this.#output();
    const hasStack = pid !== undefined && this.#stackSignal === stackSignal;
    const stack = hasStack ? await readStack({ leader: pid, file, exited: this.#exited, secrets }).catch(() => []) : [];
    // Its result may have come in the last moment.
    if (this.#isGone || this.#open === undefined || this.#open !== task) return;
    this.#violation = new FlareError(
      "client-api/trainer-stalled",
      `The trainer has not moved since ${since}, for ${seconds} s; the last that was heard was ${last}.`,
      { facts: { last, since, seconds, output, stack } },
    );
    this.kill();
  }

  async #failOpenTask(): Promise<void> {
    const task = this.#open;
    if (task !== undefined) task.fail(this.#violation ?? (await this.#death()));
  }

  /** The channel is over. A trainer that broke the protocol is ended; one that closed the channel is expected to end by itself. */
  #fail(error: FlareError | undefined): void {
    this.#wakeStart();
    if (error === undefined) {
      if (this.#open !== undefined) void this.#endLingering();
      return;
    }
    this.#violation = error;
    this.kill();
  }

  async #endLingering(): Promise<void> {
    if (!(await settlesWithin(this.#exited, this.#init.stopGracePeriodMs))) this.kill();
  }

  async #death(): Promise<FlareError> {
    const { exitCode, signalCode } = this.#child;
    const how = signalCode === null ? `exit status ${exitCode}` : `signal ${signalCode}`;
    return new FlareError("client-api/trainer-died", `The trainer ended with ${how} before it sent a result.`, {
      facts: { exitCode, signal: signalCode, output: await this.#output() },
    });
  }

  async #output(): Promise<string[]> {
    const { logFile, logStart, secrets } = this.#init;
    try {
      return await readOutputTail(logFile, { from: logStart, secrets });
    } catch {
      // The file lies where a trainer may write, and one that has removed it is reported all the same.
      return [];
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
