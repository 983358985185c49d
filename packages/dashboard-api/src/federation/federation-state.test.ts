import type { SiteStatus, SystemChange } from "@flare-ts/runtime/admin";
import { expect, it } from "vitest";
import { FederationState } from "./federation-state.js";

const site: SiteStatus = {
  name: "site-1",
  org: "north",
  state: "connected",
  sinceMs: 1,
  reason: "",
  softwareVersion: "0.1.0",
  resources: null,
  allowsLogStreaming: false,
  certificateEndsAtMs: null,
  receivedBytes: 0,
  sentBytes: 0,
  receivedBytesPerSecond: null,
  sentBytesPerSecond: null,
  lastError: null,
  jobs: [],
};

it("knows by which relay a site comes, and takes one of an older server, which does not tell, for one without", () => {
  const state = new FederationState({ submitterOf: () => undefined });
  const server: SystemChange["server"] = {
    name: "server",
    project: "study",
    startedAtMs: 1,
    softwareVersion: "0.1.0",
    receivedBytes: 0,
    sentBytes: 0,
  };
  const sites = [site, { ...site, name: "site-2", relay: "relay-alps" }];
  const told = state.take({ isWhole: true, server, sites, jobs: [], removedJobs: [] });
  expect(told.sites.map(({ name, relay }) => [name, relay])).toEqual([
    ["site-1", null],
    ["site-2", "relay-alps"],
  ]);
});
