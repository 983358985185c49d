import fastify, { LogController } from "fastify";
import { dashboardPlugin } from "./dashboard-plugin.js";
import { type Dashboard, type DashboardComponents, type OpenDashboardInit, openDashboard } from "./open-dashboard.js";

export interface StartDashboardInit extends OpenDashboardInit {
  /** @default "127.0.0.1" */
  readonly host?: string;
  /** 0 takes a free one. @default 8443 */
  readonly port?: number;
}

/** A dashboard that listens. */
export interface RunningDashboard {
  /** Where people reach it. */
  readonly url: string;
  /** What answers. */
  readonly dashboard: Dashboard;
  /** Answers what was asked, then lets go of everything. */
  stop(): Promise<void>;
}

/**
 * Starts a dashboard that listens.
 *
 * @throws FlareError `dashboard/invalid-settings`, `dashboard/database-unusable`, `store/unusable`
 */
export async function startDashboard(init: StartDashboardInit, components: DashboardComponents = {}): Promise<RunningDashboard> {
  const { host = "127.0.0.1", port = 8443 } = init;
  const dashboard = await openDashboard(init, components);
  const app = fastify({
    loggerInstance: dashboard.parts.logger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: "idle",
  });
  try {
    await app.register(dashboardPlugin, { dashboard });
    const listening = await app.listen({ host, port });
    dashboard.reachedAt(listening);
  } catch (reason) {
    await app.close();
    await dashboard.close();
    throw reason;
  }
  return {
    url: dashboard.parts.publicUrl(),
    dashboard,
    async stop() {
      await app.close();
      await dashboard.close();
    },
  };
}
