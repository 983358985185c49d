import { z } from "zod";
import { hostNameSchema } from "../ids/names.js";

/** How two processes secure their connection. */
export const connectionSecuritySchema = z.enum(["mtls", "tls", "clear"], { error: "must be mtls, tls or clear" });

/** How two processes secure their connection. */
export type ConnectionSecurity = z.infer<typeof connectionSecuritySchema>;

/** The same, as project files say it: in capitals or not. */
export const writtenSecuritySchema = z.preprocess(
  (written) => (typeof written === "string" ? written.toLowerCase() : written),
  connectionSecuritySchema,
);

const portMessage = "must be a port from 1 to 65535";

/** A TCP port that a process can be told to use. */
export const portSchema = z.int("must be a whole number").min(1, portMessage).max(65_535, portMessage);

/** The same, as project files say it: in quotes or not. */
export const writtenPortSchema = z.preprocess(
  (written) => (typeof written === "string" && /^\d{1,5}$/.test(written) ? Number(written) : written),
  portSchema,
);

/** A TCP port, or 0 for one that the system chooses. */
const portOrAnySchema = z
  .int("must be a whole number")
  .min(0, "must be a port from 1 to 65535, or 0 for any that is free")
  .max(65_535, "must be a port from 1 to 65535, or 0 for any that is free");

/** One host or a list of them. */
export const hostNamesSchema = z.union([hostNameSchema, z.array(hostNameSchema)]);

/** By which name a participant says who it is. */
export const authIdentitySchema = z
  .string("must be a name")
  .regex(/^[A-Za-z0-9._%+@-]{1,255}$/, "may hold letters, digits and . _ % + @ - only");

/** `connect_to` as a map. */
export const connectToMapSchema = z.looseObject({
  name: z.string("must be the name of the server or of a relay").nullish(),
  host: hostNameSchema.nullish(),
  port: portOrAnySchema.nullish(),
  connection_security: writtenSecuritySchema.nullish(),
  auth_identity: authIdentitySchema.nullish(),
});

/** `connect_to` of a participant: a host of the server, or a map. */
export const connectToSchema = z.union([hostNameSchema, connectToMapSchema], { error: "must be the name of a host, or a map" });

/** `listening_host` as a map. */
export const listeningHostMapSchema = z.looseObject({
  scheme: z.string("must be tcp, grpc or http").nullish(),
  host_names: hostNamesSchema.nullish(),
  default_host: hostNameSchema.nullish(),
  port: portOrAnySchema.nullish(),
  connection_security: writtenSecuritySchema.nullish(),
});

/** `listening_host` of a participant: a host, or a map. */
export const listeningHostSchema = z.union([hostNameSchema, listeningHostMapSchema], { error: "must be the name of a host, or a map" });
