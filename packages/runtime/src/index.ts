export type { LogLevel, LogLine } from "./logging/logger.js";
export { type DaemonStatus, daemonStatus, type StartDaemonInit, startDaemon, stopDaemon } from "./process/daemon.js";
export { giveBackHeap } from "./process/give-back-heap.js";
export { claimInstance, type InstanceState, readInstance } from "./process/instance-lock.js";
export type { RunningRelay, StartRelayInit } from "./relay/start-relay.js";
export type { RunningServer, StartServerInit } from "./server/start-server.js";
export type { RunningSite, StartSiteInit } from "./site/start-site.js";
export { startRelay, startServer, startSite } from "./start.js";
export { softwareVersion } from "./version.js";
