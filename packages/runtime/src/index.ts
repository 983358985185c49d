export type { LogLevel, LogLine } from "./logging/logger.js";
export { type DaemonStatus, daemonStatus, type StartDaemonInit, startDaemon, stopDaemon } from "./process/daemon.js";
export { type InstanceState, readInstance } from "./process/instance-lock.js";
export { type RunningServer, type StartServerInit, startServer } from "./server/start-server.js";
export { type RunningSite, type StartSiteInit, startSite } from "./site/start-site.js";
export { softwareVersion } from "./version.js";
