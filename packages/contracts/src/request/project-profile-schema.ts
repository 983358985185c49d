import { z } from "zod";
import { hostNameSchema, projectNameSchema } from "../ids/names.js";
import { certificatesSchema } from "../project/certificates-schema.js";
import { portSchema, writtenSecuritySchema } from "../project/connection-schemas.js";

const serverSchema = z.strictObject({
  /** Where sites and admins connect. */
  host: hostNameSchema,
  /** Name of the server participant. @default the host */
  name: hostNameSchema.nullish(),
  fed_learn_port: portSchema.default(8002),
  admin_port: portSchema.nullish(),
});

/** `project_profile.yaml`: what a project admin decides for everybody who asks for a certificate. */
export const projectProfileSchema = z.strictObject({
  /** Name of the project. */
  name: projectNameSchema.max(63, "may hold 63 characters at most"),
  scheme: z.enum(["grpc", "http", "tcp"], { error: "must be grpc, http or tcp" }).default("grpc"),
  connection_security: writtenSecuritySchema.default("mtls"),
  server: serverSchema,
  certificates: certificatesSchema
    .refine(({ renewal }) => renewal !== "server", {
      path: ["renewal"],
      error: "must be ca_holder or none: here no key is made for the server, with which it could issue",
    })
    .nullish(),
});

/** `project_profile.yaml` with its defaults. */
export type ProjectProfile = z.output<typeof projectProfileSchema>;
