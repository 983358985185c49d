import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeSafetensors } from "@flare-ts/aggregator";
import { clientConfigSchema, jobMetaSchema, readDocument, serverConfigSchema } from "@flare-ts/contracts";
import { afterAll, describe, expect, it } from "vitest";
import { toParams } from "../job/app/custom/model.ts";
import { siteRows } from "../job/app/custom/round.ts";
import { parseTable, readTable } from "../job/app/custom/table.ts";
import { evaluate, hospitals } from "./evaluate.ts";
import { encodeInitialModel } from "./initial-model.ts";
import { readPlace, readWholeTable } from "./read-whole-table.ts";
import { rounds, simulate } from "./simulate.ts";
import { type Place, places, splitTable } from "./split-table.ts";

const root = join(import.meta.dirname, "..");
const temporary = mkdtempSync(join(tmpdir(), "flare-breast-cancer-"));
afterAll(() => rmSync(temporary, { recursive: true }));

const sites = () => Object.fromEntries(hospitals.map((name) => [name, siteRows(readTable(join(root, "data", name, "wdbc.csv")))]));

describe("the tables of the example", () => {
  it("are what the script makes of the whole table, every patient in one place", () => {
    for (const [place, text] of splitTable(readWholeTable())) expect(text).toBe(readPlace(place));
    const lines = (Object.keys(places) as Place[]).flatMap((place) => readPlace(place).trimEnd().split("\n").slice(1));
    expect(lines).toHaveLength(569);
    expect(new Set(lines).size).toBe(569);
  });

  it.each([
    ["another column", "radius,benign\n1,1\n", "t.csv: the columns must be"],
    [
      "a word for a number",
      `${readPlace("hospital-a").split("\n")[0]}\n${"1,".repeat(3)}x,${"1,".repeat(26)}1\n`,
      "t.csv:2: area_mean is not",
    ],
  ])("are refused with %s", (_, text, message) => {
    expect(() => parseTable(text, "t.csv")).toThrow(message);
  });
});

describe("the job of the example", () => {
  it("has the first model that the script makes", () => {
    expect(readFileSync(join(root, "job", "app", "initial_model.safetensors"))).toEqual(Buffer.from(encodeInitialModel()));
  });

  it("has configurations that a server and a site take, with the rounds that the comparison uses", () => {
    const read = (...path: string[]): { text: string; file: string } => {
      const file = join(root, "job", ...path);
      return { text: readFileSync(file, "utf8"), file };
    };
    const server = readDocument({ ...read("app", "config", "config_fed_server.json"), schema: serverConfigSchema });
    expect(server.value.workflows[0]?.args).toMatchObject({ num_rounds: rounds, key_metric: "accuracy" });
    const client = readDocument({ ...read("app", "config", "config_fed_client.json"), schema: clientConfigSchema });
    expect(client.value.executors[0]?.tasks).toEqual(["train"]);
    expect(readDocument({ ...read("meta.json"), schema: jobMetaSchema }).value.name).toBe("breast-cancer");
  });
});

describe("the comparison", () => {
  it("finds the federated model good, better than hospitals alone on average, and as good as pooled", () => {
    const modelPath = join(temporary, "model.safetensors");
    writeFileSync(modelPath, encodeSafetensors(Object.entries(toParams(simulate(sites())))));
    const models = evaluate({ modelPath });
    expect(models.map(({ name }) => name)).toEqual(["federated", ...hospitals, "pooled"]);
    const accuracy = Object.fromEntries(models.map((model) => [model.name, model.accuracy]));
    const alone = hospitals.reduce((sum, name) => sum + (accuracy[name] ?? 1) / hospitals.length, 0);
    expect(accuracy["federated"]).toBeGreaterThanOrEqual(0.95);
    expect(accuracy["federated"]).toBeGreaterThan(alone);
    expect(accuracy["federated"]).toBeGreaterThanOrEqual((accuracy["pooled"] ?? 1) - 0.02);
  });

  it("trains to the same bits each time, and measures all patients exactly in the first round", () => {
    const bytes = (): Uint8Array => encodeSafetensors(Object.entries(toParams(simulate(sites()))));
    expect(bytes()).toEqual(bytes());
    const rows = Object.values(sites()).flatMap(({ training }) => training);
    const mean = rows.reduce((sum, { features }) => sum + (features[0] ?? 0) / rows.length, 0);
    // Two orders of adding 332 numbers of the same size.
    expect(Math.abs((simulate(sites()).mean[0] ?? 0) - mean)).toBeLessThan(1e-12 * mean * rows.length);
  });
});
