import { z } from "zod";
import { switchSchema } from "../documents/switch-schema.js";
import { nearestWord } from "../errors/nearest-word.js";
import { adminNameSchema, hostNameSchema, simpleNameSchema, siteNameSchema } from "../ids/names.js";
import {
  authIdentitySchema,
  connectToSchema,
  hostNamesSchema,
  listeningHostSchema,
  writtenPortSchema,
  writtenSecuritySchema,
} from "./connection-schemas.js";

/** Keys whose values are only looked at when they come to have an effect. */
const unread = z.unknown().optional();

/** What FLARE takes for "not said" when it is empty, as templates of project files leave it. */
export function unlessEmpty<T extends z.ZodType>(schema: T) {
  return z.preprocess((written) => (written === "" ? undefined : written), schema.nullish());
}

const caFile = unlessEmpty(z.string("must be the path of a file"));

const anyParticipant = {
  org: simpleNameSchema,
  connection_security: writtenSecuritySchema.nullish(),
  custom_ca_cert: caFile,
  auth_identity: authIdentitySchema.nullish(),
  cc_config: unread,
  components: unread,
  enable_byoc: unread,
};

const serverSchema = z.looseObject({
  ...anyParticipant,
  type: z.literal("server"),
  name: hostNameSchema,
  fed_learn_port: writtenPortSchema.nullish(),
  admin_port: writtenPortSchema.nullish(),
  host_names: hostNamesSchema.nullish(),
  default_host: hostNameSchema.nullish(),
  listening_host: unlessEmpty(listeningHostSchema),
  use_aio: unread,
});

const clientSchema = z.looseObject({
  ...anyParticipant,
  type: z.literal("client"),
  name: siteNameSchema,
  connect_to: unlessEmpty(connectToSchema),
  capacity: z
    .looseObject({
      num_of_gpus: z.int("must be a whole number").min(0, "must not be negative").nullish(),
      mem_per_gpu_in_GiB: z.number("must be a number").min(0, "must not be negative").nullish(),
    })
    .nullish(),
  listening_host: unlessEmpty(listeningHostSchema),
  parent: z.string("must be the name of a client").nullish(),
  edge_service_port: unread,
  allow_log_streaming: switchSchema.nullish(),
  use_aio: unread,
});

const adminSchema = z.looseObject({
  ...anyParticipant,
  type: z.literal("admin"),
  name: adminNameSchema,
  role: simpleNameSchema,
  connect_to: unlessEmpty(connectToSchema),
});

const relaySchema = z.looseObject({
  ...anyParticipant,
  type: z.literal("relay"),
  name: siteNameSchema,
  connect_to: unlessEmpty(connectToSchema),
  listening_host: listeningHostSchema,
  use_aio: unread,
});

const overseerSchema = z.looseObject({ type: z.literal("overseer"), name: z.unknown() });

/** Participants by their type: every key that FLARE's documentation knows. */
export const participantSchemas = {
  server: serverSchema,
  client: clientSchema,
  admin: adminSchema,
  relay: relaySchema,
  overseer: overseerSchema,
} as const;

/** Kinds of participants that a project file may name. */
const participantTypes = Object.keys(participantSchemas) as (keyof typeof participantSchemas)[];

/** A participant of a type that only a builder of the user's can know. */
export interface OtherParticipantDocument {
  readonly type: "other";
  readonly writtenType: string;
}

/** One participant of a project file as a person writes it. */
export type ParticipantDocument = z.infer<(typeof participantSchemas)[keyof typeof participantSchemas]> | OtherParticipantDocument;

/** A participant of any type; a type that is nearly one of ours is a slip of the pen. */
export const participantSchema = z.unknown().transform((written, context): ParticipantDocument => {
  const type: unknown = typeof written === "object" && written !== null ? (written as { type?: unknown }).type : undefined;
  if (typeof type !== "string" || !/^[A-Za-z0-9_]+$/.test(type)) {
    const isMap = typeof written === "object" && written !== null && !Array.isArray(written);
    const message = isMap ? `type must be one of ${participantTypes.join(", ")}` : "must be a participant: a map with name, type and org";
    context.addIssue({ code: "custom", path: isMap ? ["type"] : [], message });
    return z.NEVER;
  }
  if (!Object.hasOwn(participantSchemas, type)) {
    const near = nearestWord(type, participantTypes);
    if (near === undefined) return { type: "other", writtenType: type };
    context.addIssue({ code: "custom", path: ["type"], message: `unknown type '${type}'; did you mean '${near}'?` });
    return z.NEVER;
  }
  const result = participantSchemas[type as keyof typeof participantSchemas].safeParse(written);
  if (result.success) return result.data;
  for (const issue of result.error.issues) context.issues.push(withKey(issue) as never);
  return z.NEVER;
});

/** Says which key is missing, which zod does not. */
function withKey(issue: z.core.$ZodIssue): object {
  const key = issue.path.at(-1);
  const isMissing = issue.code === "invalid_type" && typeof key === "string" && issue.message.endsWith("received undefined");
  return { ...issue, input: undefined, message: isMissing ? `${key} is missing` : issue.message };
}
