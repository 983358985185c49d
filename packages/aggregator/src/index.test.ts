import { expect, it } from "vitest";
import * as entry from "./index.js";

it("exports these names and no others", () => {
  expect(Object.keys(entry).sort()).toEqual([
    "ExactJsEngine",
    "WasmEngine",
    "announceScale",
    "createEngine",
    "decodeSafetensors",
    "dtypeBytes",
    "encodeSafetensors",
    "engineNames",
    "fedAvg",
    "isDtype",
    "maxContributors",
    "maxThreads",
    "metricsWeightedMean",
    "openWebGpuDevice",
    "parseSafetensorsHeader",
    "probeInChild",
    "readSafetensorsHeader",
    "runElements",
    "writeSafetensors",
  ]);
});
