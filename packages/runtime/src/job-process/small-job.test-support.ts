import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeSafetensors, encodeSafetensors } from "@flare-ts/aggregator";
import { systemClock } from "../workflow/clock.js";
import { type HostedTask, MemoryJobHost, type MemoryJobHostInit, type SiteAnswer } from "./memory-job-host.test-support.js";

export interface SmallJobInit {
  /** Arguments of FedAvg, or of the workflow that is named, besides the initial model. */
  readonly args: Readonly<Record<string, unknown>>;
  /** @default nvflare.app_common.workflows.fedavg.FedAvg */
  readonly workflow?: string;
  /** Workflows after that. */
  readonly more?: readonly { readonly id: string; readonly path: string; readonly args?: Readonly<Record<string, unknown>> }[];
  /** @default answers of `answerOf` at once */
  readonly train?: MemoryJobHostInit["train"];
  readonly clock?: MemoryJobHostInit["clock"];
  /** @default three */
  readonly sites?: readonly string[];
}

/** A job of three sites, or of those that are named, and a model of three numbers, laid out in a temporary folder, which is the caller's to remove. */
export async function smallJob(init: SmallJobInit): Promise<MemoryJobHost> {
  const folder = await mkdtemp(join(tmpdir(), "flare-job-"));
  const host = new MemoryJobHost({
    folder,
    job: {
      jobId: "4f4c1d0e-5a8a-4f0e-9a44-4d3f6a1f2b3c",
      name: "job",
      sites: init.sites ?? ["site-1", "site-2", "site-3"],
      minClients: init.sites?.length ?? 3,
      mandatoryClients: [],
    },
    clock: init.clock ?? systemClock,
    train: init.train ?? ((task) => Promise.resolve(answerOf(task))),
  });
  const app = join(host.workspace, "app_server");
  await mkdir(join(app, "config"), { recursive: true });
  await writeFile(join(app, "model.safetensors"), modelBytes([1, 2, 3]));
  const args = { initial_model: "model.safetensors", ...init.args };
  const path = init.workflow ?? "nvflare.app_common.workflows.fedavg.FedAvg";
  const config = { format_version: 2, workflows: [{ id: "controller", path, args }, ...(init.more ?? [])] };
  await writeFile(join(app, "config", "config_fed_server.json"), JSON.stringify(config));
  return host;
}

/** A site's number is its weight, its loss, and what it adds to each element. */
export function answerOf(task: HostedTask, paramsType: "FULL" | "DIFF" = "FULL"): Exclude<SiteAnswer, "silence" | { error: unknown }> {
  const number = Number(task.site.slice(-1));
  const values = valuesOf(task.model).map((value) => (paramsType === "FULL" ? value + number : number));
  return { bytes: modelBytes(values), paramsType, weight: number, metrics: { loss: number } };
}

export function modelBytes(values: readonly number[]): Uint8Array {
  return encodeSafetensors([["w", { dtype: "F32", shape: [values.length], data: Float32Array.from(values) }]]);
}

export function valuesOf(model: Uint8Array): number[] {
  const tensor = decodeSafetensors(model).get("w");
  return [...((tensor?.data ?? []) as Float32Array)];
}

/** Hash of the final model; empty when there is none. */
export function finalHash(host: MemoryJobHost): string {
  return host.end !== undefined && "model" in host.end ? host.end.model.hash : "";
}
