import { join } from "node:path";
import { Writable } from "node:stream";
import { makeFolder } from "@flare-ts/provision/kit";
import type { FastifyBaseLogger } from "fastify";
import { pino } from "pino";

export interface DashboardLoggerInit {
  /** Folder in which `dashboard.log` is kept, as JSON lines. */
  readonly folder: string;
  /** @default "info" */
  readonly level?: "info" | "debug";
  /** Hears of what somebody should know at once: warnings and errors. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** Writes the dashboard's log to a file, and its warnings to whoever started it. @throws FlareError `file/unwritable` */
export async function createDashboardLogger({
  folder,
  level = "info",
  onWarning = () => {},
}: DashboardLoggerInit): Promise<FastifyBaseLogger> {
  await makeFolder(folder, { mode: 0o700 });
  const file = pino.destination({ dest: join(folder, "dashboard.log"), sync: true, mode: 0o600 });
  // A log that cannot be written, on a full disk for instance, is no reason to stop.
  file.on("error", () => undefined);
  const told = new Writable({
    write(line: Buffer, _encoding, done) {
      onWarning(textOf(line.toString("utf8")));
      done();
    },
  });
  const streams = pino.multistream([
    { stream: file, level },
    { stream: told, level: "warn" },
  ]);
  const logger: FastifyBaseLogger = pino({ level, base: null, messageKey: "message", timestamp: pino.stdTimeFunctions.isoTime }, streams);
  return logger;
}

function textOf(line: string): string {
  const { message, reason, err } = JSON.parse(line) as { message?: string; reason?: string; err?: { message?: string } };
  const why = reason ?? err?.message;
  return `${message ?? ""}${why === undefined ? "" : `: ${why}`}`;
}
