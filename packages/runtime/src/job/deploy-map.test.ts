import type { JobMeta } from "@flare-ts/contracts";
import { describe, expect, it } from "vitest";
import { resolveDeployMap, selectJobSites } from "./deploy-map.js";

const everywhere: JobMeta = {
  name: "j",
  deployMap: { app: "@ALL" },
  minClients: undefined,
  mandatoryClients: [],
  resourceSpec: {},
  scope: undefined,
  study: undefined,
  customProps: {},
};
const split: JobMeta = {
  ...everywhere,
  deployMap: { hospital: ["site-1", "site-2"], srv: ["server"], bank: ["site-3"] },
  minClients: 2,
  mandatoryClients: ["site-2"],
};

describe("deploy map", () => {
  it("sends '@ALL' to the server and to every site that is connected", () => {
    expect(resolveDeployMap(everywhere, ["site-2", "site-1"])).toEqual({ serverApp: "app", apps: { "site-1": "app", "site-2": "app" } });
  });

  it("leaves out sites that it does not name", () => {
    expect(resolveDeployMap(split, ["site-9", "site-3", "site-1"])).toEqual({
      serverApp: "srv",
      apps: { "site-1": "hospital", "site-3": "bank" },
    });
  });

  it("lets a job start with enough sites and every mandatory one", () => {
    expect(selectJobSites(split, ["site-2", "site-3"])).toMatchObject({ canStart: true, apps: { "site-2": "hospital", "site-3": "bank" } });
    expect(selectJobSites(split, ["site-1", "site-3"])).toEqual({
      canStart: false,
      missing: ["site-2"],
      connected: ["site-1", "site-3"],
      needed: 2,
    });
    expect(selectJobSites(split, ["site-2", "site-9"])).toMatchObject({ canStart: false, missing: [], connected: ["site-2"] });
  });

  it("lets no job start without a site", () => {
    expect(selectJobSites(everywhere, [])).toMatchObject({ canStart: false, needed: 1 });
  });
});
