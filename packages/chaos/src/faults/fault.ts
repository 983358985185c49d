/** Every kind of fault, in the order of the documentation. */
export const faultKinds = [
  "kill-server",
  "kill-site",
  "kill-server-job",
  "kill-site-job",
  "kill-trainer",
  "site-away",
  "cut",
  "black-hole",
  "throttle",
  "delay",
  "reorder",
  "disk-full-server",
  "disk-full-site",
  "clock-server",
  "clock-site",
  "twin",
  "move-server",
] as const;

/** What can go wrong. */
export type FaultKind = (typeof faultKinds)[number];

/** One line about each kind, for help and reports. */
export const faultTexts: Readonly<Record<FaultKind, string>> = {
  "kill-server": "kill -9 of the server's parent process",
  "kill-site": "kill -9 of a site's parent process",
  "kill-server-job": "kill -9 of the server's job process",
  "kill-site-job": "kill -9 of a site's job process",
  "kill-trainer": "kill -9 of a trainer",
  "site-away": "a site with all its processes is gone and comes back later",
  cut: "a connection is cut in the middle of a chunk",
  "black-hole": "nothing passes between the sites and the server, and no connection is closed",
  throttle: "each connection carries 1 Mbit/s in each direction",
  delay: "300 ms of delay in both directions, with jitter and with stalls as after lost packets",
  reorder: "new connections reach the server in another order",
  "disk-full-server": "the server's disk is full",
  "disk-full-site": "a site's disk is full",
  "clock-server": "the server's clock jumps by an hour, and back",
  "clock-site": "a site's clock jumps by an hour, and back",
  twin: "a second process is started with a kit that is in use",
  "move-server": "the server goes on from a copy of its folder",
};

/** A fault as the seed says it. */
export interface PlannedFault {
  /** From 1. */
  readonly number: number;
  readonly kind: FaultKind;
  /** Milliseconds between the fault before and this one. */
  readonly gapMs: number;
  /** How long it lasts, where it does; milliseconds. */
  readonly durationMs: number;
  /** Site that it concerns, for the kinds that concern one. */
  readonly site: string;
  /** `cut`: bytes that still pass. */
  readonly bytes: number;
  /** `clock-…`: by how much the clock jumps; milliseconds. */
  readonly clockMs: number;
  /** `twin`: whether the server's kit is taken, not the site's. */
  readonly isServers: boolean;
}

/** What became of a fault. */
export interface FaultOutcome {
  readonly fault: PlannedFault;
  /** Milliseconds after the first fault could happen. */
  readonly atMs: number;
  readonly outcome: "injected" | "no-victim" | "failed" | "not-reached";
  /** What was hit, or why nothing was. */
  readonly detail: string;
}
