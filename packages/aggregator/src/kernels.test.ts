import { expect, it } from "vitest";
import * as entry from "./kernels.js";

it("the entry for those that run kernels without a session exports these names and no others", () => {
  expect(Object.keys(entry).sort()).toEqual([
    "KernelMemory",
    "UpdateFindings",
    "WorkSlots",
    "addCall",
    "bytesSource",
    "hugePages",
    "indexModel",
    "kernelThreads",
    "loadKernelModule",
    "matchLayout",
    "plainFold",
    "wasmArithmetic",
  ]);
});
