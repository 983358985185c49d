export { type DashboardPluginOptions, dashboardPlugin } from "./dashboard-plugin.js";
export type { FederationAdmin, FederationLink, FederationNews } from "./federation/federation-link.js";
export type { RateLimits } from "./http/rate-limits.js";
export { createDashboardLogger, type DashboardLoggerInit } from "./logging/dashboard-logger.js";
export type { Letter, Mailer } from "./mail/mailer.js";
export type { SmtpSettings } from "./mail/smtp-mailer.js";
export type { OidcProviderSettings } from "./oidc/oidc-provider.js";
export { type Dashboard, type DashboardComponents, type OpenDashboardInit, openDashboard } from "./open-dashboard.js";
export { type RunningDashboard, type StartDashboardInit, startDashboard } from "./start-dashboard.js";
