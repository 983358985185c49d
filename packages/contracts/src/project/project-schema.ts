import { z } from "zod";
import { switchSchema } from "../documents/switch-schema.js";
import { projectNameSchema } from "../ids/names.js";
import { certificatesSchema } from "./certificates-schema.js";
import { writtenSecuritySchema } from "./connection-schemas.js";
import { participantSchema, unlessEmpty } from "./participant-schemas.js";
import { studySchema } from "./study-schema.js";

/** Roles that FLARE gives to admins. */
export const adminRoles = ["project_admin", "org_admin", "lead", "member"] as const;

/** Keys whose values are only looked at when they come to have an effect. */
const unread = z.unknown().optional();

/** A builder or packager: which one, and its arguments. */
export const builderSchema = z.looseObject({
  path: z.string("must be the name of a builder, or the path of a module").min(1, "must be the name of a builder"),
  args: z.record(z.string(), z.unknown(), { error: "must be a map of arguments" }).nullish(),
});

/**
 * Everything that FLARE's documentation lets a project file of api_version 3 or 4 say, and our own `certificates`. That
 * a key stands here means that it is known; what it comes to is decided by who reads the document.
 */
export const projectDocumentSchema = z.looseObject({
  api_version: z.literal([3, 4], { error: "must be 3 or 4" }),
  name: projectNameSchema,
  description: z.string("must be a text").nullish(),
  participants: z.array(participantSchema, { error: "must be a list of participants" }).min(1, "must name the participants"),
  builders: z.array(builderSchema, { error: "must be a list of builders" }).nullish(),
  packager: builderSchema.nullish(),
  connection_security: writtenSecuritySchema.nullish(),
  custom_ca_cert: unlessEmpty(z.string("must be the path of a file")),
  allow_log_streaming: switchSchema.nullish(),
  certificates: certificatesSchema.nullish(),
  studies: z.record(z.string(), studySchema, { error: "must be a map of studies" }).nullish(),
  edge: unread,
  include: unread,
  /** What the dashboard keeps beside the project; provisioning passes it over. */
  dashboard: unread,
});

/** A project file as a person writes it. */
export type ProjectDocument = z.infer<typeof projectDocumentSchema>;
