import { existsSync, lstatSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts/errors";
import type { ResultMessage } from "../client/protocol.js";
import { holdsTensors } from "../job/holds-tensors.js";
import type { TrainerResult } from "../job-process/job-channel.js";
import { removeAtOnce, removeFile } from "../store/file-model-store-disk.js";
import { whenThereIsRoom } from "../store/when-there-is-room.js";

/** How the names of records end; those of results end in `.safetensors`. */
const recordEnd = ".json";

/** A task that a result answers. */
export interface AskedTask {
  readonly task: string;
  /** Whether it is evaluation alone, which is answered without a tensor, as nothing else is. */
  readonly isEvaluation: boolean;
}

/** What a record holds. */
interface Kept {
  readonly result: TrainerResult;
  /** Of the result's file. */
  readonly bytes: number;
}

/**
 * Results that trainers have written and the site's parent has not yet taken. Their records are small, and the job process has nothing
 * else to do meanwhile: they are read and written at once, as a turn of Node's thread pool takes longer.
 */
export class ResultFolder {
  readonly #folder: string;

  constructor(init: { readonly folder: string }) {
    this.#folder = init.folder;
  }

  /**
   * Keeps a result so that a job process started later finds it.
   *
   * @throws FlareError `client-api/result-invalid` when the file is not a plain file directly inside the folder, or holds tensors where
   *   there should be none, or none where there should be some
   */
  async keep(message: ResultMessage, asked: AskedTask): Promise<TrainerResult> {
    const { task_id: taskId, path, params_type: paramsType, weight, metrics, meta } = message;
    const bytes = this.#checkFile(path);
    checkTensors(path, asked);
    const result: TrainerResult = { path, paramsType, weight, metrics, meta };
    const record = this.#recordPath(taskId);
    const kept: Kept = { result, bytes };
    await whenThereIsRoom(async () => {
      writeFileSync(`${record}.part`, JSON.stringify(kept));
      renameSync(`${record}.part`, record);
    });
    return result;
  }

  /** A result that was kept and not yet taken. */
  async find(taskId: string): Promise<TrainerResult | undefined> {
    try {
      const record = this.#recordPath(taskId);
      if (!existsSync(record)) return undefined;
      const { result, bytes } = JSON.parse(readFileSync(record, "utf8")) as Kept;
      // Nobody waited for the disk: when the power failed, the record may be there and part of the file not.
      return this.#checkFile(result.path) === bytes ? result : undefined;
    } catch {
      return undefined;
    }
  }

  /** Removes what is left of a result. */
  async forget(taskId: string, path?: string): Promise<void> {
    removeAtOnce(this.#recordPath(taskId));
    if (path !== undefined && dirname(path) === this.#folder) await removeFile(path);
  }

  /** Removes what trainers that are gone have left: all but the results that are kept. */
  async sweep(): Promise<void> {
    // The folder of a job that is over may be gone already.
    const names = await readdir(this.#folder).catch(() => []);
    const kept = new Set<string>();
    for (const record of names.filter((name) => name.endsWith(recordEnd))) {
      const result = await this.find(decodeURIComponent(record.slice(0, -recordEnd.length)));
      if (result !== undefined) kept.add(record).add(basename(result.path));
    }
    for (const name of names) if (!kept.has(name)) await rm(join(this.#folder, name), { recursive: true, force: true });
  }

  #recordPath(taskId: string): string {
    return join(this.#folder, `${encodeURIComponent(taskId)}${recordEnd}`);
  }

  /** The bytes of the file. */
  #checkFile(path: string): number {
    try {
      // Not realpath: it looks at every folder above, which Node's permission model denies to a job process.
      const found = resolve(dirname(path)) === resolve(this.#folder) ? lstatSync(path) : undefined;
      if (found?.isFile() === true) return found.size;
    } catch {
      // Told below like any other path that is not right.
    }
    throw new FlareError("client-api/result-invalid", "The path of a result is not a file directly inside result_folder.", {
      facts: { path },
    });
  }
}

function checkTensors(path: string, { task, isEvaluation }: AskedTask): void {
  if (holdsTensors(path) !== isEvaluation) return;
  const wrong = isEvaluation
    ? `The answer to the evaluation '${task}' is not a safetensors file without tensors; it is answered with metrics alone.`
    : `The answer to the task '${task}' has no tensors; metrics alone answer an evaluation only.`;
  throw new FlareError("client-api/result-invalid", wrong, { facts: { task } });
}
