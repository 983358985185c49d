import { z } from "zod";
import { hostNameSchema, simpleNameSchema } from "../ids/names.js";
import { connectionSecuritySchema } from "../project/project-schema.js";

const portMessage = "must be a port from 1 to 65535";
const portSchema = z.int("must be a whole number").min(1, portMessage).max(65_535, portMessage);
const dayMs = 24 * 60 * 60_000;
const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 60 * 60_000, d: dayMs, y: 365 * dayMs };
const least = 5 * 60_000;
const most = 10 * 365 * dayMs;

const lifetimeSchema = z.string().transform((text, context) => {
  const [, number, unit = ""] = /^(\d{1,6})([mhdy])$/.exec(text) ?? [];
  const ms = Number(number) * (unitMs[unit] ?? Number.NaN);
  if (ms >= least && ms <= most) return ms;
  context.addIssue({ code: "custom", message: "must be a duration from 5m to 10y, such as 36h or 90d" });
  return z.NEVER;
});

/** `project_profile.yaml`: what a project admin decides for everybody who asks for a certificate. */
export const projectProfileSchema = z.strictObject({
  /** Name of the project. */
  name: simpleNameSchema.max(63, "may hold 63 characters at most"),
  scheme: z.enum(["grpc", "http", "tcp"], { error: "must be grpc, http or tcp" }).default("grpc"),
  connection_security: connectionSecuritySchema.default("mtls"),
  server: z.strictObject({
    /** Where sites and admins connect. */
    host: hostNameSchema,
    /** Name of the server participant. @default the host */
    name: hostNameSchema.nullish(),
    fed_learn_port: portSchema.default(8002),
    admin_port: portSchema.nullish(),
  }),
  certificates: z
    .strictObject({
      key_type: z.enum(["rsa-2048", "rsa-3072", "p256"], { error: "must be rsa-2048, rsa-3072 or p256" }).optional(),
      root_valid_days: z.int("must be a whole number").min(1, "must be 1 at least").max(36_500, "must be 36500 at most").optional(),
      leaf_lifetime: lifetimeSchema.optional(),
    })
    .nullish(),
});

/** `project_profile.yaml` with its defaults. */
export type ProjectProfile = z.output<typeof projectProfileSchema>;
