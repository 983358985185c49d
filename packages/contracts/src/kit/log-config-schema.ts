import { z } from "zod";

/** How much a process writes to its log, from little to much. */
export const logLevels = ["error", "warn", "info", "debug"] as const;

/** `local/log_config.json`. */
export const logConfigSchema = z.strictObject({ level: z.enum(logLevels, { error: `must be one of ${logLevels.join(", ")}` }) });

/** `local/log_config.json`. */
export type LogConfig = z.infer<typeof logConfigSchema>;
