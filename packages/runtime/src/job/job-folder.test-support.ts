import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { FlareError, type Problem } from "@flare-ts/contracts";
import { afterEach, beforeEach } from "vitest";
import { readJobFolder } from "./read-job-folder.js";

/** A temporary folder, and in it that of the job. */
interface Places {
  root: string;
  folder: string;
}

const places: Places = { root: "", folder: "" };

/** Gives each test of a file a folder of its own. */
export function jobFolder(): Readonly<Places> {
  beforeEach(() => {
    places.root = mkdtempSync(join(tmpdir(), "flare-job-folder-"));
    places.folder = join(places.root, "my_job");
  });
  afterEach(() => rmSync(places.root, { recursive: true, force: true }));
  return places;
}

export const meta = `{
  "name": "breast-cancer",
  "deploy_map": { "app": ["@ALL"] },
  "min_clients": 2,
  "resource_spec": {}
}`;

export const server = `{
  "format_version": 2,
  "workflows": [
    {
      "id": "controller",
      "path": "nvflare.app_common.workflows.fedavg.FedAvg",
      "args": {
        "num_rounds": 3,
        "initial_model": "models/initial.safetensors"
      }
    }
  ],
  "components": [],
  "task_data_filters": [],
  "task_result_filters": []
}`;

export const client = `{
  "format_version": 2,
  "executors": [
    {
      "tasks": ["train"],
      "executor": {
        "path": "nvflare.app_common.executors.client_api_executor.ClientAPIExecutor",
        "args": { "task_script_path": "train.mjs", "task_script_args": "--lr 0.1" }
      }
    }
  ],
  "components": []
}`;

const header = Buffer.from('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
const length = Buffer.alloc(8);
length.writeBigUInt64LE(BigInt(header.length));
const model = Buffer.concat([length, header, Buffer.alloc(4)]);

export const goodJob: Readonly<Record<string, string | Uint8Array>> = {
  "meta.json": meta,
  "app/config/config_fed_server.json": server,
  "app/config/config_fed_client.json": client,
  "app/custom/train.mjs": "",
  "app/models/initial.safetensors": model,
};

/** Two apps: one for the server, one for two sites. */
export const splitJob: Readonly<Record<string, string | Uint8Array>> = {
  "meta.json": meta.replace(`{ "app": ["@ALL"] }`, `{ "srv": ["server"], "hospital": ["site-1", "site-2"] }`),
  "srv/config/config_fed_server.json": server,
  "srv/models/initial.safetensors": model,
  "hospital/config/config_fed_client.json": client,
  "hospital/custom/train.mjs": "",
};

export type Files = Readonly<Record<string, string | Uint8Array | undefined>>;

/** Writes files of the job. */
export async function write(files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    if (content === undefined) continue;
    const absolute = join(places.folder, path);
    await mkdir(dirname(absolute), { recursive: true });
    await writeFile(absolute, content);
  }
}

/** Writes files, and says what is wrong with the job. */
export async function problemsOf(files: Files): Promise<{ readonly code: string; readonly problems: readonly Problem[] }> {
  await write(files);
  const reason: unknown = await readJobFolder(places.folder).catch((caught: unknown) => caught);
  return reason instanceof FlareError ? reason : { code: "accepted", problems: [] };
}

export const serverFile = "app/config/config_fed_server.json";
export const clientFile = "app/config/config_fed_client.json";

/** The server's configuration with another text in the place of the number of rounds, in line 8. */
export function workflowArg(text: string): string {
  return server.replace(`"num_rounds": 3`, text);
}

/** The configuration of sites with another text in the place of the script's arguments, in line 8. */
export function executorArg(text: string): string {
  return client.replace(`"task_script_args": "--lr 0.1"`, text);
}

/** Files in the place of those of the good job, and the mistake that is to be told. */
export type WrongJob = readonly [what: string, files: Files, file: string, line: number | undefined, message: RegExp];

/** How the good job with other files is refused: the code, and the mistake that is meant. */
export async function refusalOf(
  files: Files,
  { file, message }: { readonly file: string; readonly message: RegExp },
): Promise<{ readonly code: string; readonly problem: Problem | undefined }> {
  const { code, problems } = await problemsOf({ ...goodJob, ...files });
  return { code, problem: problems.find((problem) => problem.file === file && message.test(problem.message)) };
}
