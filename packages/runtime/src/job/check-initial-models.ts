import { type FileHandle, open } from "node:fs/promises";
import { limits, type Problem } from "@flare-ts/contracts";
import type { AppConfigs } from "./check-apps.js";
import type { JobFolderFile } from "./job-folder.js";

/** Finds workflows whose first model is missing or is not a safetensors file. Only the start of the file is read. */
export async function checkInitialModels(
  configs: readonly AppConfigs[],
  files: ReadonlyMap<string, JobFolderFile>,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const { app, server } of configs) {
    const index = server?.value.workflows.findIndex(({ args }) => args.initial_model !== undefined) ?? -1;
    const model = server?.value.workflows[index]?.args.initial_model;
    if (server === undefined || model === undefined) continue;
    const file = files.get(`${app.name}/${model}`);
    const wrong = file === undefined ? "does not exist" : await modelProblem(file);
    if (wrong !== undefined) {
      problems.push(server.problemAt(["workflows", index, "args", "initial_model"], `the model ${app.name}/${model} ${wrong}`));
    }
  }
  return problems;
}

/** A safetensors file starts with the length of its JSON header: 8 bytes, little endian (https://github.com/huggingface/safetensors#format). */
async function modelProblem(file: JobFolderFile): Promise<string | undefined> {
  const handle = await open(file.absolutePath, "r");
  try {
    const start = await readStart(handle);
    if (start.length < 9) return "is too short for a safetensors file";
    const headerBytes = start.readBigUInt64LE(0);
    if (headerBytes > BigInt(limits.safetensorsHeaderBytes) || headerBytes + 8n > BigInt(file.size) || start[8] !== 0x7b) {
      return "is not a safetensors file";
    }
    return undefined;
  } finally {
    await handle.close();
  }
}

async function readStart(handle: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(9), 0, 9, 0);
  return buffer.subarray(0, bytesRead);
}
