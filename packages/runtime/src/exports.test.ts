import { describe, expect, it } from "vitest";

describe("the public surface of this package", () => {
  it.each([
    [
      "index",
      [
        "claimInstance",
        "daemonStatus",
        "endTrainersBelow",
        "freePort",
        "giveBackHeap",
        "lastError",
        "preferSmallHeap",
        "readInstance",
        "restartStatus",
        "softwareVersion",
        "startDaemon",
        "startRelay",
        "startServer",
        "startSite",
        "stopDaemon",
        "useSmallPools",
        "watchOf",
      ],
    ],
    [
      "admin/index",
      [
        "AdminSession",
        "addToEvaluations",
        "connectAdmin",
        "crossValidationResults",
        "evaluationsOf",
        "isFinished",
        "jobStatuses",
        "levelWords",
        "noEvaluations",
        "readJobFolder",
        "selectJobSites",
      ],
    ],
    [
      "client/index",
      [
        "ClientSession",
        "FLModel",
        "ParamsType",
        "getJobId",
        "getSiteName",
        "getTaskName",
        "init",
        "isEvaluate",
        "isRunning",
        "isSubmitModel",
        "isTrain",
        "log",
        "openClientSession",
        "progress",
        "receive",
        "send",
        "servePsi",
        "serveStatistics",
        "shutdown",
        "systemInfo",
      ],
    ],
    ["preflight/index", ["runPreflight"]],
    ["store/index", ["FileModelStore", "openSqliteServerStore", "openSqliteSiteStore"]],
  ])("is, at %s, these names and no others", async (entry, names) => {
    expect(Object.keys((await import(`./${entry}.js`)) as object).sort()).toEqual(names);
  });
});
