import { limits, siteNameSchema } from "@flare-ts/contracts";
import { z } from "zod";
import { logLevels } from "../logging/logger.js";

/** What a log may be set to; `reload`: what local/log_config.json says. */
export const levelWords = [...logLevels, "reload"] as const;
export type LevelWord = (typeof levelWords)[number];

/** Arguments of what processes carry out on themselves, for each of those verbs. */
export const processArguments = z.strictObject({
  /** Whether it is for the server. */
  server: z.boolean().optional(),
  /** Sites that it is for, each with the attachment for which it is good. */
  sites: z
    .record(siteNameSchema, z.string().max(64))
    .refine((sites) => Object.keys(sites).length <= limits.studyMembers)
    .optional(),
  /** The server only says whether it would do it itself. */
  is_trial: z.boolean().optional(),
  /** How long the server waits for what sites do. */
  timeout_ms: z.int().min(1).max(limits.stallMs),
  /** Whether it waits until they have done it, or only until they have said that they will. @default true */
  is_awaited: z.boolean().optional(),
  /** Of a log. */
  level: z.enum(levelWords).optional(),
});

export const disableArguments = z.strictObject({ site: siteNameSchema, reason: z.string().max(limits.abortReasonChars).optional() });
export const enableArguments = disableArguments.pick({ site: true });
