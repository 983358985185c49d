import type { Json } from "@flare-ts/contracts";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { dashboardSettings, type StartDashboardOptions } from "./dashboard-settings.js";

/** Runs the dashboard until it is told to stop. */
export async function startDashboardCommand(context: CommandContext, options: StartDashboardOptions): Promise<CommandOutput> {
  const { terminal, format } = context;
  const { createDashboardLogger, startDashboard } = await import("@flare-ts/dashboard-api");
  const settings = await dashboardSettings(context, options);
  // It must not end because whoever read its output did.
  context.outliveReader();
  const onWarning = (message: string): void => (format === "txt" ? terminal.out(message) : terminal.err(message));
  const logger = await createDashboardLogger({ folder: settings.dataFolder, level: context.isVerbose ? "debug" : "info", onWarning });
  const running = await startDashboard(settings, { logger });
  const { url, listensAt, fingerprint, setUpLink } = running;
  const started: { readonly [key: string]: Json } = {
    url,
    listens_at: listensAt,
    fingerprint: fingerprint ?? null,
    set_up_link: setUpLink ?? null,
    data: settings.dataFolder,
    pid: process.pid,
  };
  const isOwn = settings.security?.kind === "own";
  context.report(
    { type: "started", ...started },
    [
      `The dashboard is at ${url}`,
      ...(listensAt === url ? [] : [`It listens at ${listensAt}.`]),
      ...(isOwn ? [`Its certificate is its own; browsers ask once. SHA-256 ${fingerprint ?? ""}`] : []),
      ...(settings.pageFolder === undefined ? ["The page is not built here: only the API answers. Build it, or name it by --page."] : []),
      ...(setUpLink === undefined ? [] : [`Open this link once to become the project admin: ${setUpLink}`]),
    ].join("\n"),
  );
  await aborted(context.signal);
  await running.stop();
  return { data: { ...started, state: "stopped" }, text: ["The dashboard has stopped."] };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
