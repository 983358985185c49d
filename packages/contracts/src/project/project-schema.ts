import { z } from "zod";
import { adminNameSchema, hostNameSchema, simpleNameSchema, siteNameSchema } from "../ids/names.js";

/** Roles that an admin can hold. */
export const adminRoles = ["project_admin", "org_admin", "lead", "member"] as const;

/** A role that an admin can hold. */
export type AdminRole = (typeof adminRoles)[number];

/** Kinds of participants that a project file may name. */
const participantTypes = ["server", "client", "admin", "relay", "overseer"] as const;

/** How two processes secure their connection. */
export const connectionSecuritySchema = z.enum(["mtls", "tls", "clear"], { error: "must be mtls, tls or clear" });

/** How two processes secure their connection. */
export type ConnectionSecurity = z.infer<typeof connectionSecuritySchema>;

const portSchema = z.int("must be a whole number").min(1, "must be a port from 1 to 65535").max(65_535, "must be a port from 1 to 65535");

const connectToSchema = z.union([
  hostNameSchema,
  z.strictObject({
    name: z.string().nullish(),
    host: hostNameSchema.nullish(),
    port: portSchema.nullish(),
    connection_security: connectionSecuritySchema.nullish(),
    auth_identity: z.string().nullish(),
  }),
]);

/** Keys whose values are only looked at when they come to have an effect. */
const unread = z.unknown().optional();

const anyParticipant = {
  org: simpleNameSchema,
  connection_security: connectionSecuritySchema.nullish(),
  custom_ca_cert: unread,
  cc_config: unread,
  auth_identity: unread,
  components: unread,
  enable_byoc: unread,
};

const serverSchema = z.strictObject({
  ...anyParticipant,
  type: z.literal("server"),
  name: hostNameSchema,
  fed_learn_port: portSchema.nullish(),
  admin_port: portSchema.nullish(),
  host_names: z.union([hostNameSchema, z.array(hostNameSchema)]).nullish(),
  default_host: hostNameSchema.nullish(),
  listening_host: unread,
  use_aio: unread,
});

const clientSchema = z.strictObject({
  ...anyParticipant,
  type: z.literal("client"),
  name: siteNameSchema,
  connect_to: connectToSchema.nullish(),
  capacity: z
    .strictObject({
      num_of_gpus: z.int().min(0, "must not be negative").nullish(),
      mem_per_gpu_in_GiB: z.number().min(0, "must not be negative").nullish(),
    })
    .nullish(),
  listening_host: unread,
  parent: unread,
  edge_service_port: unread,
  allow_log_streaming: unread,
});

const adminSchema = z.strictObject({
  ...anyParticipant,
  type: z.literal("admin"),
  name: adminNameSchema,
  role: z.enum(adminRoles, { error: `must be one of ${adminRoles.join(", ")}` }),
  connect_to: connectToSchema.nullish(),
});

/** A kind of participant that is recognised by its type alone. */
const relaySchema = z.looseObject({ type: z.literal("relay"), name: z.string() });
const overseerSchema = z.looseObject({ type: z.literal("overseer"), name: z.string() });

const builderSchema = z.strictObject({
  path: z.string("must be the name of a builder"),
  args: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * Everything that FLARE's documentation lets a project file of api_version 3 or 4 say. That a key stands here means
 * that it is known; what this version supports is decided by who reads the document.
 */
export const projectDocumentSchema = z.strictObject({
  api_version: z.literal([3, 4], { error: "must be 3" }),
  name: simpleNameSchema.max(63, "may hold 63 characters at most"),
  description: z.string().nullish(),
  participants: z
    .array(
      z.discriminatedUnion("type", [serverSchema, clientSchema, adminSchema, relaySchema, overseerSchema], {
        error: `type must be one of ${participantTypes.join(", ")}`,
      }),
      { error: "must be a list of participants" },
    )
    .min(1, "must name the participants"),
  builders: z.array(builderSchema).nullish(),
  packager: unread,
  connection_security: connectionSecuritySchema.nullish(),
  custom_ca_cert: unread,
  studies: unread,
  edge: unread,
  include: unread,
});

/** A project file as a person writes it. */
export type ProjectDocument = z.infer<typeof projectDocumentSchema>;

/** One participant of a project file as a person writes it. */
export type ParticipantDocument = ProjectDocument["participants"][number];
