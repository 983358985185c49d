import { writeSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { connect, Socket } from "node:net";
import { join } from "node:path";
import { decodeSafetensors, encodeSafetensors } from "@flare-ts/aggregator/safetensors";
import { FlareError, limits } from "@flare-ts/contracts/errors";
import type { Metrics } from "../job/job-event.js";
import { settlesWithin } from "../process/deadline.js";
import { giveBackSmallHeap } from "../process/give-back-heap.js";
import { whenThereIsRoom } from "../store/when-there-is-room.js";
import { readBootstrap, versionMismatch } from "./bootstrap.js";
import { checkJobMessage } from "./check-message.js";
import { checkResult } from "./check-result.js";
import { differenceOf } from "./difference.js";
import { FLModel, type FLModelInit, type ParamsType, type Tensors } from "./fl-model.js";
import { Heartbeat } from "./heartbeat.js";
import { LineChannel } from "./line-channel.js";
import {
  type JobMessage,
  protocolVersion,
  type ResultAckMessage,
  type ResultMessage,
  type ResultRefusedMessage,
  type TaskMessage,
  type WelcomeMessage,
} from "./protocol.js";
import { controlTensors, type SplitModel, splitControls } from "./scaffold-controls.js";
import { isEvaluate, isSubmitModel, isTrain } from "./task-kinds.js";

/** Who and where a trainer is. */
export interface SystemInfo {
  readonly siteName: string;
  readonly jobId: string;
  readonly jobName: string;
  /** Data sets that the site's operator offers: name to path. */
  readonly datasets: Readonly<Record<string, string>>;
  /**
   * Folder for what the script needs when it is started anew: it stays for as long as the job is at the site, and nobody else looks into it.
   * `undefined` at a site with an earlier release.
   */
  readonly stateFolder: string | undefined;
}

/** How far a task is, as the script counts it. */
export interface TaskProgress {
  /** Steps that are done, and in all; not negative. */
  readonly done?: number;
  readonly total?: number;
  /** What is being done, for people. */
  readonly note?: string;
}

/** A task that is answered by a file which is not made of tensors in memory. */
export interface FileTask {
  /** A safetensors file; it must only be read. */
  readonly modelPath: string;
  readonly currentRound: number;
  readonly totalRounds: number;
  /** Where the answer is written, also a safetensors file. */
  readonly outPath: string;
}

/** What else there is to know of a metric. */
export interface LogOptions {
  /** The script's own count of batches or epochs; curves are drawn over it. */
  readonly step?: number;
}

type Reply = ResultAckMessage | ResultRefusedMessage;

/** A trainer with a heap of this size works with it: looking through it takes longer than what is left of its start is worth. */
const largestHeapBytes = 32 * 1024 * 1024;

/** In this time it is heard why a model is gone. */
const cancelMs = 10_000;

/** Name and version that this client gives in `hello`. */
const clientName = "flare-ts/0.1.0";

/** Opens the session of the trainer that this process is. @throws FlareError `client-api/*` */
export async function openClientSession(env: NodeJS.ProcessEnv = process.env): Promise<ClientSession> {
  const place = await readBootstrap(env);
  const session = new ClientSession({ socket: "fd" in place ? inherited(place.fd) : connect(place.path) });
  await session.open();
  return session;
}

function inherited(fd: number): Socket {
  try {
    return new Socket({ fd, readable: true, writable: true });
  } catch (cause) {
    throw new FlareError("client-api/bootstrap-invalid", `File descriptor ${fd} is not a channel.`, { facts: { fd }, cause });
  }
}

/**
 * One trainer's talk with the job process that started it: models come in, results go out. A session that waits for nothing
 * does not keep the process alive.
 */
export class ClientSession {
  readonly #socket: Socket;
  readonly #channel: LineChannel;
  readonly #heartbeat: Heartbeat;
  readonly #tasks: TaskMessage[] = [];
  #welcome: WelcomeMessage | undefined;
  #current: TaskMessage | undefined;
  /** The task being answered is no longer wanted. */
  #isCancelled = false;
  /** Whether its model has control variates, once that is known. */
  #hasControls: boolean | undefined;
  #reply: Reply | undefined;
  #isStopped = false;
  #hasGivenBack = false;
  #failure: FlareError | undefined;
  #waiters: (() => void)[] = [];

  constructor(components: { readonly socket: Socket }) {
    this.#socket = components.socket;
    this.#heartbeat = new Heartbeat({ send: (moved) => this.#channel.send({ type: "heartbeat", moved }) });
    this.#channel = new LineChannel(
      { stream: components.socket },
      {
        onMessage: (raw) => {
          try {
            const message = checkJobMessage(raw);
            if (message !== undefined) this.#take(message);
          } catch (error) {
            this.#channel.violated(FlareError.from(error));
          }
        },
        onClose: (error) => {
          this.#failure ??= error;
          this.#heartbeat.stop();
          this.#wake();
        },
      },
    );
  }

  /** Greets the job process. @throws FlareError `client-api/disconnected`, `client-api/version-mismatch` */
  async open(): Promise<void> {
    this.#channel.start();
    this.#channel.send({ type: "hello", protocol_version: protocolVersion, client: clientName, heartbeats: true });
    await this.#until(() => this.#welcome !== undefined || !this.#channel.isOpen);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#welcome === undefined) throw disconnected();
    if (this.#welcome.protocol_version !== protocolVersion) throw versionMismatch(this.#welcome.protocol_version);
    const { heartbeat_seconds: seconds } = this.#welcome;
    this.#heartbeat.start(seconds === undefined ? limits.heartbeatMs : seconds * 1000);
  }

  /** Waits for the next task; `true` when there is one to answer, `false` when the job is over. */
  async isRunning(): Promise<boolean> {
    return (await this.#nextTask()) !== undefined;
  }

  /**
   * The model to train, as fresh tensors; `undefined` when the job is over. Until it is answered with `send`, the same model
   * comes again.
   */
  async receive(): Promise<FLModel | undefined> {
    for (;;) {
      const task = await this.#nextTask();
      if (task === undefined) return undefined;
      const model = await this.#readModel(task);
      if (model === undefined) continue;
      return new FLModel({
        params: model.params,
        controlVariates: model.controls,
        currentRound: task.current_round,
        startRound: task.start_round,
        totalRounds: task.total_rounds,
        meta: task.meta,
      });
    }
  }

  /**
   * Answers the task. Resolves when the site holds the result durably, or when it is no longer wanted because the round went
   * on or the job is over; a retry by the script is never needed. An evaluation is answered with `metrics` alone, any other task with
   * `params`.
   *
   * @throws FlareError `client-api/no-task`, `client-api/weight-missing`, `client-api/result-invalid`,
   *   `client-api/difference-unsupported`, `client-api/disconnected`
   */
  async send(model: FLModelInit): Promise<void> {
    const task = this.#current;
    if (task === undefined) throw new FlareError("client-api/no-task", "send() was called without a model to answer.");
    const weight = checkResult(model, { task: task.task_name, names: this.#welcomed });
    const transferable = await this.#transferable(model, task);
    if (transferable === undefined) return;
    const { params, paramsType } = transferable;
    const path = this.#resultPath(task);
    const bytes = encodeSafetensors(Object.entries(params));
    await whenThereIsRoom(
      async () => {
        await writeFile(`${path}.part`, bytes);
        await rename(`${path}.part`, path);
      },
      { onFull: sayThatThereIsNoRoom },
    );
    const { metrics = {}, meta = {} } = model;
    await this.#deliver({ type: "result", task_id: task.task_id, path, params_type: paramsType, weight, metrics, meta });
  }

  /**
   * Answers the next task by a file, however large, and waits as `send` does. It is made again when the disk was full.
   *
   * @param make - writes the answer, and gives the metrics that go with it
   * @returns `false` when the job is over
   * @throws FlareError `client-api/disconnected`, `client-api/result-invalid`, and what `make` throws
   */
  async answerByFile(make: (task: FileTask) => Promise<Metrics>): Promise<boolean> {
    const task = await this.#nextTask();
    if (task === undefined) return false;
    const { task_id, model_path: modelPath, current_round: currentRound, total_rounds: totalRounds } = task;
    const path = this.#resultPath(task);
    try {
      const metrics = await whenThereIsRoom(() => make({ modelPath, currentRound, totalRounds, outPath: `${path}.part` }), {
        onFull: sayThatThereIsNoRoom,
      });
      await rename(`${path}.part`, path);
      await this.#deliver({ type: "result", task_id, path, params_type: "FULL", weight: 1, metrics, meta: {} });
    } catch (error) {
      if (!(await this.#isGone(error))) throw error;
    }
    return true;
  }

  /** A trainer that outlived its job process must not write into the file of the one that took its place. */
  #resultPath({ task_id: taskId }: TaskMessage): string {
    return join(this.#welcomed.result_folder, `${encodeURIComponent(taskId)}.${process.pid}.safetensors`);
  }

  /** Hands a result over, and waits until the site has it. */
  async #deliver(result: ResultMessage): Promise<void> {
    this.#channel.send(result);
    await this.#until(() => this.#reply !== undefined || this.#isStopped || !this.#channel.isOpen);
    const reply = this.#takeReply();
    if (reply?.type === "result_refused") throw FlareError.fromJSON(reply.error);
    if (reply === undefined && !this.#isStopped) throw this.#failure ?? disconnected();
    this.#current = undefined;
  }

  /** Shows a metric while training goes on; it belongs to the round of the task being answered. */
  log(key: string, value: number, options: LogOptions = {}): void {
    if (!Number.isFinite(value))
      throw new FlareError("client-api/result-invalid", `log('${key}') needs a finite number.`, { facts: { key } });
    const round = this.#current?.current_round;
    const { step } = options;
    this.#channel.send({
      type: "log",
      key,
      value,
      ...(round === undefined ? {} : { round }),
      ...(step === undefined ? {} : { step }),
    });
  }

  /**
   * Says that the script moves. Once a script has said so for a task, nothing but this, `log` and `send` counts as progress of
   * the task: a loop that stands still is then found even while it keeps the processor busy.
   */
  progress({ done, total, note }: TaskProgress = {}): void {
    const numbers = { ...(done === undefined ? {} : { done }), ...(total === undefined ? {} : { total }) };
    for (const [name, value] of Object.entries(numbers)) {
      if (Number.isFinite(value) && value >= 0) continue;
      throw new FlareError("client-api/result-invalid", `progress() needs ${name} as a number that is not negative.`, { facts: { name } });
    }
    this.#channel.send({ type: "progress", ...numbers, ...(note === undefined ? {} : { note }) });
  }

  systemInfo(): SystemInfo {
    const { site_name, job_id, job_name, datasets, state_folder } = this.#welcomed;
    return { siteName: site_name, jobId: job_id, jobName: job_name, datasets, stateFolder: state_folder };
  }

  /** Name of the task being answered; `undefined` between tasks. */
  get taskName(): string | undefined {
    return this.#current?.task_name;
  }

  /** Whether the task being answered is training. */
  get isTrain(): boolean {
    return this.#current !== undefined && isTrain(this.#current.task_name, this.#welcomed);
  }

  /** Whether the task being answered is evaluation alone: it is answered with metrics. */
  get isEvaluate(): boolean {
    return this.#current !== undefined && isEvaluate(this.#current.task_name, this.#welcomed);
  }

  /** Whether the task being answered asks for the site's own best model. */
  get isSubmitModel(): boolean {
    return this.#current !== undefined && isSubmitModel(this.#current.task_name, this.#welcomed);
  }

  /** Leaves the session; the job process takes the trainer for done. */
  shutdown(): void {
    this.#isStopped = true;
    this.#heartbeat.stop();
    this.#channel.end();
    this.#wake();
  }

  get #welcomed(): WelcomeMessage {
    if (this.#welcome === undefined) throw new FlareError("client-api/not-initialised", "The session is not open yet.");
    return this.#welcome;
  }

  async #nextTask(): Promise<TaskMessage | undefined> {
    if (!this.#hasGivenBack) {
      this.#hasGivenBack = true;
      giveBackSmallHeap(largestHeapBytes);
    }
    if (this.#current !== undefined) return this.#isStopped ? undefined : this.#current;
    await this.#until(() => this.#tasks.length > 0 || this.#isStopped || !this.#channel.isOpen);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isStopped || !this.#channel.isOpen) return undefined;
    this.#current = this.#tasks.shift();
    this.#isCancelled = false;
    this.#hasControls = undefined;
    return this.#current;
  }

  /** What is sent; `undefined` when nobody wants it any more. */
  async #transferable(model: FLModelInit, task: TaskMessage): Promise<{ params: Tensors; paramsType: ParamsType } | undefined> {
    const { params = {}, paramsType: given = "FULL", controlChanges } = model;
    if (this.isEvaluate) {
      if (Object.keys(params).length > 0) say(`'${task.task_name}' is an evaluation: its metrics are sent, and its params are not.`);
      return { params: {}, paramsType: "FULL" };
    }
    const isSubtracted = given === "FULL" && this.#welcomed.params_transfer_type === "DIFF";
    if (!isSubtracted && this.#hasControls === false && controlChanges === undefined) return { params, paramsType: given };
    const received = await this.#readModel(task);
    if (received === undefined) return undefined;
    const paramsType = isSubtracted ? "DIFF" : given;
    const own = isSubtracted ? differenceOf(params, received.params) : params;
    return { params: { ...own, ...controlTensors(controlChanges, received.controls, paramsType) }, paramsType };
  }

  /** The model of the open task; `undefined` when it went with a task that is cancelled, and is open no more then. */
  async #readModel(task: TaskMessage): Promise<SplitModel | undefined> {
    try {
      const model = splitControls(Object.fromEntries(decodeSafetensors(await readFile(task.model_path), task.model_path)));
      this.#hasControls = model.controls !== undefined;
      return model;
    } catch (error) {
      if (!(await this.#isGone(error))) throw error;
      return undefined;
    }
  }

  /** Whether something has failed because the site removes the model of a task that it cancels; its word on that comes after. */
  async #isGone(error: unknown): Promise<boolean> {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return false;
    const isTold = this.#until(() => this.#isCancelled || this.#isStopped || !this.#channel.isOpen);
    if (!(await settlesWithin(isTold, cancelMs))) return false;
    this.#current = undefined;
    return true;
  }

  #take(message: JobMessage): void {
    switch (message.type) {
      case "welcome":
        this.#welcome = message;
        break;
      case "task":
        this.#tasks.push(message);
        break;
      case "cancel": {
        const at = this.#tasks.findIndex(({ task_id }) => task_id === message.task_id);
        if (at >= 0) this.#tasks.splice(at, 1);
        if (message.task_id === this.#current?.task_id) this.#isCancelled = true;
        break;
      }
      case "result_ack":
      case "result_refused":
        if (message.task_id === this.#current?.task_id) this.#reply = message;
        break;
      case "stop":
        this.#isStopped = true;
        this.#channel.end();
        break;
      case "error":
        this.#failure = FlareError.fromJSON(message.error);
        this.#channel.end();
        break;
    }
    this.#wake();
  }

  #takeReply(): Reply | undefined {
    const reply = this.#reply;
    this.#reply = undefined;
    return reply;
  }

  async #until(condition: () => boolean): Promise<void> {
    this.#socket.ref();
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
      });
    }
    this.#socket.unref();
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}

function disconnected(): FlareError {
  return new FlareError("client-api/disconnected", "The job process has closed the channel.");
}

function sayThatThereIsNoRoom(): void {
  say("no space is left for the result; waiting until there is.");
}

/** Not through `process.stderr`: the output of a trainer is a file on the same disk, and its stream would end the process when that is full. */
function say(text: string): void {
  try {
    writeSync(2, `flare: ${text}\n`);
  } catch {
    // Then the log of the trainer has no room for this line either.
  }
}
