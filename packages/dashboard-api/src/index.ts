export { dashboardPlugin } from "./dashboard-plugin.js";
export type { FederationAdmin, FederationLink, FederationNews } from "./federation/federation-link.js";
export { createDashboardLogger, type DashboardLoggerInit } from "./logging/dashboard-logger.js";
export { type Dashboard, type DashboardComponents, type OpenDashboardInit, openDashboard } from "./open-dashboard.js";
export { type RunningDashboard, type StartDashboardInit, startDashboard } from "./start-dashboard.js";
