import { describe, expect, it } from "vitest";
import { readDocument } from "../documents/read-document.js";
import { FlareError } from "../errors/flare-error.js";
import { compileMeta, jobMetaSchema } from "./job-meta.js";
import { resourcesFor } from "./resource-spec.js";

const gibibyte = 2 ** 30;

/** A meta.json whose `resource_spec` begins in line 4. */
const textOf = (spec: string): string => `{\n  "name": "j",\n  "deploy_map": { "app": ["@ALL"] },\n  "resource_spec": ${spec}\n}`;

function askedOf(site: string, spec: object) {
  const { value } = readDocument({ text: textOf(JSON.stringify(spec)), file: "meta.json", schema: jobMetaSchema });
  return resourcesFor(site, compileMeta(value));
}

function problemsOf(spec: string): readonly unknown[] {
  try {
    readDocument({ text: textOf(spec), file: "meta.json", schema: jobMetaSchema });
  } catch (error) {
    return FlareError.from(error).problems.map(({ line, message }) => [line, message]);
  }
  return [];
}

describe("resource_spec", () => {
  it("is nothing where it says nothing", () => {
    expect(askedOf("site-1", {})).toEqual({ gpus: 0, memPerGpuGiB: 0, cpus: 0, memoryBytes: 0 });
  });

  it("has in @default what a site's own entry leaves open, key by key", () => {
    const spec = {
      "@default": { num_of_gpus: 1, mem_per_gpu_in_GiB: 8, num_of_cpus: 4, memory: "8Gi" },
      "site-2": { num_of_gpus: 0, num_of_cpus: 16 },
    };
    expect(askedOf("site-1", spec)).toEqual({ gpus: 1, memPerGpuGiB: 8, cpus: 4, memoryBytes: 8 * gibibyte });
    expect(askedOf("site-2", spec)).toEqual({ gpus: 0, memPerGpuGiB: 8, cpus: 16, memoryBytes: 8 * gibibyte });
    // What is no own property of the document is nobody's entry.
    expect(askedOf("constructor", spec)).toEqual(askedOf("site-1", spec));
  });

  it.each([
    ["512Mi", 512 * 2 ** 20],
    ["8Gi", 8 * gibibyte],
    ["2Ti", 2048 * gibibyte],
  ])("takes %s for memory", (memory, memoryBytes) => {
    expect(askedOf("site-1", { "@default": { memory } })).toMatchObject({ memoryBytes });
  });

  const form = 'must be a whole number with Mi, Gi or Ti, such as "8Gi"';
  it.each([
    ['{\n    "site-1": {\n      "memory": 8 } }', 6, form],
    ['{\n    "site-1": {\n      "memory": "8GB" } }', 6, form],
    ['{\n    "site-1": {\n      "memory": "1.5Gi" } }', 6, form],
    ['{\n    "site-1": {\n      "memory": "0Gi" } }', 6, form],
    ['{\n    "site-1": {\n      "memory": "99999999Ti" } }', 6, form],
    ['{\n    "@default": {\n      "num_of_cpus": 0 } }', 6, "must be at least 1"],
    ['{\n    "@default": {\n      "num_of_cpus": 1.5 } }', 6, "must be a whole number"],
    ['{\n    "@default": {\n      "num_of_cpu": 1 } }', 6, "unknown key 'num_of_cpu'; did you mean 'num_of_cpus'?"],
    ['{\n    "@default": 4 }', 5, "may have num_of_gpus, mem_per_gpu_in_GiB, num_of_cpus and memory"],
    ['{\n    "server": { "num_of_cpus": 4 } }', 5, "the server gives jobs none of these; it aggregates with what it finds"],
  ])("is refused with its line: %j", (spec, line, message) => {
    expect(problemsOf(spec)).toEqual([[line, message]]);
  });
});
