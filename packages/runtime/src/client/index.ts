import { FlareError } from "@flare-ts/contracts/errors";
import type { PsiOwner } from "../psi/site-psi.js";
import type { DatasetColumns } from "../statistics/column-statistics.js";
import { type ClientSession, type LogOptions, openClientSession, type SystemInfo, type TaskProgress } from "./client-session.js";
import type { FLModel, FLModelInit } from "./fl-model.js";
import { serveStatisticsOf } from "./serve-statistics.js";

export type { PsiOwner } from "../psi/site-psi.js";
export type { DatasetColumns } from "../statistics/column-statistics.js";
export { ClientSession, type LogOptions, openClientSession, type SystemInfo, type TaskProgress } from "./client-session.js";
export { FLModel, type FLModelInit, ParamsType, type Tensors } from "./fl-model.js";

/**
 * The session that the functions of this module use. FLARE's Client API is a set of functions over one session per process, so
 * this is the one piece of module-level state; everything it holds is in `ClientSession`, which can be used without it.
 */
const defaultSession: { current: ClientSession | undefined } = { current: undefined };

/**
 * Opens the session with the job process that started this script; once, before anything slow.
 *
 * @throws FlareError `client-api/no-bootstrap`, `client-api/bootstrap-invalid`, `client-api/version-mismatch`,
 *   `client-api/disconnected`
 */
export async function init(): Promise<void> {
  defaultSession.current ??= await openClientSession();
}

/** Waits for the next task; `false` when the job is over and the script should end. */
export async function isRunning(): Promise<boolean> {
  return session().isRunning();
}

/** The model to train, as fresh tensors; `undefined` when the job is over. */
export async function receive(): Promise<FLModel | undefined> {
  return session().receive();
}

/**
 * Answers the model that was received. An evaluation is answered with `metrics` alone, any other task with `params`, for which
 * `meta.NUM_STEPS_CURRENT_ROUND` must be a positive number. Resolves when the site holds
 * the result durably, or when it is no longer wanted.
 *
 * @throws FlareError `client-api/no-task`, `client-api/weight-missing`, `client-api/result-invalid`,
 *   `client-api/difference-unsupported`, `client-api/disconnected`
 */
export async function send(model: FLModelInit): Promise<void> {
  await session().send(model);
}

/** Shows a metric of the current round while training goes on. @throws FlareError `client-api/result-invalid` */
export function log(key: string, value: number, options: LogOptions = {}): void {
  session().log(key, value, options);
}

/**
 * Says that the script moves: for loops that stay in one place for longer than the site's stall time. Once it is called for a
 * task, only `progress`, `log` and `send` count as progress of the task.
 */
export function progress(how: TaskProgress = {}): void {
  session().progress(how);
}

/** Site, job, and the data sets that the site's operator offers. */
export function systemInfo(): SystemInfo {
  return session().systemInfo();
}

/** Id of the job. */
export function getJobId(): string {
  return session().systemInfo().jobId;
}

/** Name of this site. */
export function getSiteName(): string {
  return session().systemInfo().siteName;
}

/** Name of the task being answered; `undefined` between tasks. */
export function getTaskName(): string | undefined {
  return session().taskName;
}

/** Whether the task being answered is training. */
export function isTrain(): boolean {
  return session().isTrain;
}

/** Whether the task being answered is evaluation alone: it is answered with metrics. */
export function isEvaluate(): boolean {
  return session().isEvaluate;
}

/** Whether the task being answered asks for the site's own best model. */
export function isSubmitModel(): boolean {
  return session().isSubmitModel;
}

/**
 * Answers the tasks of a workflow of statistics until the job is over: with those of columns of numbers, by their names, of each data set
 * by its own. What is no finite number is no value.
 *
 * @param read - called once, with the first task: loading counts as work on it
 * @throws FlareError `client-api/result-invalid` for a task of something else, and what `read` throws
 */
export async function serveStatistics(read: () => DatasetColumns | Promise<DatasetColumns>): Promise<void> {
  await serveStatisticsOf(session(), read);
}

/** Leaves the session before the job is over. */
export function shutdown(): void {
  defaultSession.current?.shutdown();
}

function session(): ClientSession {
  if (defaultSession.current !== undefined) return defaultSession.current;
  throw new FlareError("client-api/not-initialised", "init() has not been called, or not been awaited.");
}

/**
 * Answers the tasks of a private set intersection until the job is over: with the site's identifiers, which are blinded before they leave it, and in
 * the end the owner is given those that all sites have.
 *
 * @throws FlareError `client-api/items-invalid`, `client-api/result-invalid` for a task of something else, and what the owner throws
 */
export async function servePsi(owner: PsiOwner): Promise<void> {
  const current = session();
  // Cryptography and threads, which other trainers need not hold.
  const { servePsiOf } = await import("./serve-psi.js");
  await servePsiOf(current, owner);
}
