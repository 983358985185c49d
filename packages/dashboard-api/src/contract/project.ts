import { z } from "zod";
import { defineRoute } from "./define-route.js";
import { emailSchema, lineSchema, organizationSchema, timeMsSchema } from "./schemas.js";

/** Where a project stands: it is being written, or it has its CA and gives out kits. */
export const projectStates = ["draft", "frozen"] as const;

/** A project's name: it names the CA and a folder, so it is FLARE's rule. */
export const projectNameSchema = z
  .string("must be a name")
  .max(63, "may have 63 characters at most")
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9 _.-]*[A-Za-z0-9_-])?$/,
    "may hold letters, digits, _ - . and spaces only, and begins with a letter or digit",
  );

/** A DNS name or an IP address. */
export const hostSchema = z
  .string("must be a DNS name or an IP address")
  .max(253, "may have 253 characters at most")
  .regex(
    /^(?=.)([A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$|^[0-9a-fA-F:]+$/,
    "must be a DNS name or an IP address",
  );

/** Text of several lines. */
export const textSchema = z.string("must be a text").trim().max(10_000, "may have 10,000 characters at most");

const portMessage = "must be a port from 1 to 65535";
const durationSchema = z
  .string("must be a duration such as 90d")
  .regex(/^[1-9][0-9]{0,8}[smhdwy]$/, "must be a whole number with s, m, h, d, w or y, such as 90d");

/** The project's server: where every site and console connects. */
export const projectServerSchema = z.strictObject({
  /** Name of the participant, and host where everybody connects. */
  name: hostSchema.max(64, "may have 64 characters at most"),
  /** @default 8002 */
  port: z.int(portMessage).min(1, portMessage).max(65_535, portMessage).default(8002),
  /** Further names and addresses that its certificate is good for. */
  hosts: z.array(hostSchema).max(50, "may be 50 at most").default([]),
  organization: organizationSchema,
});

/** How certificates are made. */
export const projectCertificatesSchema = z.strictObject({
  keyType: z.enum(["rsa-2048", "rsa-3072", "p256"], { error: "must be rsa-2048, rsa-3072 or p256" }).default("rsa-2048"),
  /** How long a participant's certificate lasts, such as `90d`. */
  leafLifetime: durationSchema.default("90d"),
  rootValidDays: z.int().min(1).max(36_525).default(3650),
  /** Who renews certificates while processes run. */
  renewal: z.enum(["server", "ca_holder", "none"], { error: "must be server, ca_holder or none" }).default("server"),
});

/** A named group of sites and people. */
export const studySchema = z.strictObject({
  name: z
    .string("must be a name")
    .regex(
      /^(?!default$)[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/,
      "may hold small letters, digits, - and _ only, and must not be 'default'",
    ),
  /** Names of sites. */
  sites: z.array(z.string().max(63)).max(1000),
  /** E-mail addresses. */
  people: z.array(emailSchema).max(1000),
});

/** Something that each site has to say about itself, or may. */
export const sitePropertySchema = z.strictObject({
  key: z.string("must be a name").regex(/^[a-z][a-z0-9_]{0,39}$/, "may hold small letters, digits and _ only, 40 at most"),
  label: lineSchema,
  /** Shown below the field. */
  hint: z.string().trim().max(500).default(""),
  isRequired: z.boolean().default(true),
  /** What may be chosen; any text where it is `null`. */
  choices: z.array(lineSchema).min(1).max(100).nullable().default(null),
});

/** What can be changed of a project; what is locked by freezing is named by the route. */
const changes = {
  name: projectNameSchema,
  title: lineSchema.or(z.literal("")),
  description: textSchema,
  startsAtMs: timeMsSchema.nullable(),
  endsAtMs: timeMsSchema.nullable(),
  server: projectServerSchema,
  connectionSecurity: z.enum(["mtls", "tls", "clear"], { error: "must be mtls, tls or clear" }),
  /** Whether sites send their logs to the server, where a site says nothing else. */
  allowLogStreaming: z.boolean(),
  certificates: projectCertificatesSchema,
  studies: z.array(studySchema).max(200),
  siteProperties: z.array(sitePropertySchema).max(50),
  /** Image that the kits' `docker.sh` starts. */
  dockerImage: z
    .string()
    .max(255)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._/:@-]*$/, "must be the name of an image")
    .nullable(),
};

/** The project's CA. */
const authoritySchema = z.object({
  /** SHA-256 of the root certificate, `SHA256:AA:BB:…`: participants compare it over another way. */
  rootFingerprint: z.string(),
  rootValidToMs: timeMsSchema,
  /** Whether the CA's key can be used; after a restart a project admin gives the passphrase again. */
  isUnlocked: z.boolean(),
  /** Two roots are trusted, one takes over from the other. */
  isRollingOver: z.boolean(),
  /** Number of the list of who is not trusted any more; 0 before there is one. */
  trustListNumber: z.int(),
  /** What is done as soon as the CA is unlocked. */
  waiting: z.object({ requests: z.int(), revocations: z.int() }),
});

/** The project of this dashboard. */
export const projectSchema = z.object({
  ...changes,
  name: z.string(),
  title: z.string(),
  server: projectServerSchema.nullable(),
  state: z.enum(projectStates),
  /** Whether the federation that is watched was provisioned elsewhere: kits and certificates stay there. */
  isElsewhere: z.boolean(),
  frozenAtMs: timeMsSchema.nullable(),
  /** Name of who froze it. */
  frozenBy: z.string().nullable(),
  authority: authoritySchema.nullable(),
  /** What has to be filled in before it can be frozen, a sentence each. */
  missing: z.array(z.string()),
  /** Whether the dashboard was started with a passphrase for the CA, so that nobody has to be asked. */
  isPassphraseGiven: z.boolean(),
  /** Grows with each change; an update that names an older one is refused. */
  version: z.int(),
  /** Name of the person who made this version; `null` for the first. */
  changedBy: z.string().nullable(),
});

/** The project of this dashboard. */
export type Project = z.infer<typeof projectSchema>;
/** The project's server. */
export type ProjectServer = z.infer<typeof projectServerSchema>;
/** How certificates are made. */
export type ProjectCertificates = z.infer<typeof projectCertificatesSchema>;
/** A named group of sites and people. */
export type ProjectStudy = z.infer<typeof studySchema>;
/** Something that each site has to say about itself, or may. */
export type SiteProperty = z.infer<typeof sitePropertySchema>;

const passphrase = z.string("must be a passphrase").min(1, "must not be empty").max(1024, "may have 1,024 characters at most");

export const getProject = defineRoute({
  id: "project.get",
  method: "GET",
  path: "/project",
  summary: "Shows the project",
  access: ["project_admin", "org_admin", "lead", "member"],
  response: projectSchema,
});

export const updateProject = defineRoute({
  id: "project.update",
  method: "PATCH",
  path: "/project",
  summary: "Changes the project; name, server, connection security and certificates are locked once it is frozen",
  access: ["project_admin"],
  body: z.strictObject({ ...z.strictObject(changes).partial().shape, version: z.int().optional() }),
  response: projectSchema,
});

export const freezeProject = defineRoute({
  id: "project.freeze",
  method: "POST",
  path: "/project/freeze",
  summary: "Makes the project's CA and locks what its certificates depend on; this cannot be undone",
  access: ["project_admin"],
  /** The passphrase seals the CA's key; it is not needed where the dashboard was started with one. */
  body: z.strictObject({ passphrase: passphrase.optional() }),
  response: projectSchema,
});

export const unlockProject = defineRoute({
  id: "project.unlock",
  method: "POST",
  path: "/project/unlock",
  summary: "Opens the CA's key until the dashboard ends, and does what waited for it",
  access: ["project_admin"],
  body: z.strictObject({ passphrase }),
  response: projectSchema,
});

export const lockProject = defineRoute({
  id: "project.lock",
  method: "POST",
  path: "/project/lock",
  summary: "Forgets the passphrase of the CA's key",
  access: ["project_admin"],
  response: projectSchema,
});

export const rotateProject = defineRoute({
  id: "project.rotate",
  method: "POST",
  path: "/project/rotate",
  summary: "Begins or ends the replacement of the CA's root",
  access: ["project_admin"],
  body: z.strictObject({
    step: z.enum(["start", "finish"]),
    /** Ends it although participants have certificates of the old root only; they are cut off. */
    isForced: z.boolean().default(false),
  }),
  response: z.object({
    project: projectSchema,
    /** Names of the participants that still need a kit of the new root. */
    behind: z.array(z.string()),
  }),
});

export const exportProject = defineRoute({
  id: "project.export",
  method: "GET",
  path: "/project/document",
  summary: "Gives the project as project.yml, which flare provision takes",
  access: ["project_admin"],
  response: { mediaType: "application/yaml" },
});

export const importProject = defineRoute({
  id: "project.import",
  method: "PUT",
  path: "/project/document",
  summary: "Takes over a project.yml into a project that is not frozen: its settings and sites",
  access: ["project_admin"],
  body: z.strictObject({ text: z.string("must be the text of a project.yml").min(1, "must not be empty").max(500_000) }),
  response: z.object({
    project: projectSchema,
    /** Names of sites that were added, approved. */
    addedSites: z.array(z.string()),
    changedSites: z.array(z.string()),
    /** Admins of the file who have no account yet: invite them. */
    peopleToInvite: z.array(z.object({ email: z.string(), organization: z.string(), role: z.string() })),
    /** What has no effect, each with its line. */
    warnings: z.array(z.string()),
  }),
});

/** Routes of the project. */
export const projectRoutes = [
  getProject,
  updateProject,
  freezeProject,
  unlockProject,
  lockProject,
  rotateProject,
  exportProject,
  importProject,
] as const;
