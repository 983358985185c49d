import { z } from "zod";
import { adminNameSchema, hostNameSchema, projectNameSchema, simpleNameSchema, siteNameSchema } from "../ids/names.js";
import { hostNamesSchema, writtenSecuritySchema } from "../project/connection-schemas.js";

/** Roles that a participant can ask for; whoever runs the project is made by `flare provision`. */
export const requestRoles = ["org_admin", "lead", "member"] as const;

/** The common name of a certificate has room for so many characters: RFC 5280, ub-common-name. */
const maxNameChars = 64;
const tooLong = `may hold ${maxNameChars} characters at most`;

const serverSchema = z.strictObject({
  type: z.literal("server"),
  // An address in IPv6 has colons, which no file name has everywhere.
  name: hostNameSchema.max(maxNameChars, tooLong).regex(/^[^:]*$/, "must be a DNS name or an IPv4 address"),
  org: simpleNameSchema,
  host_names: hostNamesSchema.nullish(),
  connection_security: writtenSecuritySchema.nullish(),
});

const clientSchema = z.strictObject({
  type: z.literal("client"),
  name: siteNameSchema,
  org: simpleNameSchema,
  capacity: z
    .strictObject({
      num_of_gpus: z.int("must be a whole number").min(0, "must not be negative").nullish(),
      mem_per_gpu_in_GiB: z.number("must be a number").min(0, "must not be negative").nullish(),
    })
    .nullish(),
});

const adminSchema = z.strictObject({
  type: z.literal("admin"),
  name: adminNameSchema.max(maxNameChars, tooLong),
  org: simpleNameSchema,
  role: z.preprocess(
    (role) => (role === "org-admin" ? "org_admin" : role),
    z.enum(requestRoles, {
      error: ({ input }) =>
        input === "project_admin"
          ? "project_admin cannot be asked for; the project admin's own kit is made by flare provision"
          : `must be one of ${requestRoles.join(", ")}`,
    }),
  ),
});

/** `participant.yaml`, with which a participant asks for a certificate; `site.yaml` in a request has the same form. */
export const participantFileSchema = z.strictObject({
  api_version: z.literal([3, 4], { error: "must be 3 or 4" }).optional(),
  /** Name of the project. */
  name: projectNameSchema.max(63, "may hold 63 characters at most"),
  description: z.string().nullish(),
  participants: z.tuple(
    [
      z.discriminatedUnion("type", [serverSchema, clientSchema, adminSchema], {
        error: "type must be one of server, client, admin; a relay is provisioned by flare provision",
      }),
    ],
    { error: "must be a list of exactly one participant" },
  ),
});

/** `participant.yaml` as a person writes it. */
export type ParticipantFileDocument = z.infer<typeof participantFileSchema>;
