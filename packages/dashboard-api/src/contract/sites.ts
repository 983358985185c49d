import { z } from "zod";
import { certificateRequestSchema, maxRequestBytes } from "./certificate-requests.js";
import { defineRoute } from "./define-route.js";
import { kitSchema, newKitSchema, revocationReasonSchema } from "./kits.js";
import { textSchema } from "./project.js";
import { idParams, idSchema, organizationSchema, timeMsSchema } from "./schemas.js";

/** Where a site stands. */
export const siteStates = ["pending", "approved", "rejected"] as const;

/** Where a site stands. */
export type SiteState = (typeof siteStates)[number];

/** Name of a site: FLARE's rule. */
export const siteNameSchema = z
  .string("must be a name")
  .min(1, "must not be empty")
  .max(63, "may have 63 characters at most")
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, "may hold letters, digits, - and _ only, and begins with a letter or digit");

/** What a site can do. */
export const capacitySchema = z.strictObject({
  gpus: z.int("must be a whole number").min(0, "must not be negative").max(10_000).default(0),
  memPerGpuGiB: z.number("must be a number").min(0, "must not be negative").max(100_000).default(0),
});

const propertiesSchema = z.record(z.string().max(40), z.string().trim().max(1000));

/** A site of the project. */
export const siteSchema = z.object({
  id: idSchema,
  name: z.string(),
  organization: z.string(),
  description: z.string(),
  state: z.enum(siteStates),
  capacity: z.object({ gpus: z.int(), memPerGpuGiB: z.number() }),
  /** By key of the project's `siteProperties`. */
  properties: z.record(z.string(), z.string()),
  /** Labels of required properties that are not filled in. */
  missing: z.array(z.string()),
  allowLogStreaming: z.boolean(),
  createdAtMs: timeMsSchema,
  createdBy: z.string(),
  /** Of what the site says about itself; grows with each change, and an update that names an older one is refused. */
  version: z.int(),
  /** Name of the person who made this version; `null` for the first. */
  changedBy: z.string().nullable(),
  decision: z.object({ atMs: timeMsSchema, by: z.string(), note: z.string() }).nullable(),
  request: certificateRequestSchema.nullable(),
  /** The newest kit; earlier ones are in the list of kits. */
  kit: kitSchema.nullable(),
});

/** A site of the project. */
export type Site = z.infer<typeof siteSchema>;

const admins = ["project_admin", "org_admin"] as const;

export const listSites = defineRoute({
  id: "sites.list",
  method: "GET",
  path: "/sites",
  summary: "Lists sites; org admins see those of their own organisation",
  access: admins,
  scope: "own-org",
  response: z.object({ sites: z.array(siteSchema) }),
});

export const createSite = defineRoute({
  id: "sites.create",
  method: "POST",
  path: "/sites",
  summary: "Adds a site, which a project admin approves",
  access: admins,
  scope: "own-org",
  body: z.strictObject({
    name: siteNameSchema,
    /** @default one's own */
    organization: organizationSchema.optional(),
    description: textSchema.default(""),
    capacity: capacitySchema.default({ gpus: 0, memPerGpuGiB: 0 }),
    properties: propertiesSchema.default({}),
    /** @default what the project says */
    allowLogStreaming: z.boolean().optional(),
  }),
  response: siteSchema,
  status: 201,
});

export const getSite = defineRoute({
  id: "sites.get",
  method: "GET",
  path: "/sites/:id",
  summary: "Shows a site",
  access: admins,
  scope: "own-org",
  params: idParams,
  response: siteSchema,
});

export const updateSite = defineRoute({
  id: "sites.update",
  method: "PATCH",
  path: "/sites/:id",
  summary: "Changes a site; its name is fixed once it has a kit",
  access: admins,
  scope: "own-org",
  params: idParams,
  body: z.strictObject({
    name: siteNameSchema.optional(),
    description: textSchema.optional(),
    capacity: capacitySchema.optional(),
    properties: propertiesSchema.optional(),
    allowLogStreaming: z.boolean().optional(),
    /** What the change is made to; where it is left out, the last change wins. */
    version: z.int().optional(),
  }),
  response: siteSchema,
});

export const removeSite = defineRoute({
  id: "sites.remove",
  method: "DELETE",
  path: "/sites/:id",
  summary: "Removes a site that has no good kit",
  access: admins,
  scope: "own-org",
  params: idParams,
  response: "nothing",
});

export const decideSite = defineRoute({
  id: "sites.decide",
  method: "POST",
  path: "/sites/:id/decision",
  summary: "Approves or rejects a site; a rejected one loses its kit",
  access: ["project_admin"],
  params: idParams,
  body: z.strictObject({
    decision: z.enum(["approve", "reject"]),
    note: textSchema.default(""),
    /** What was looked at; where it is left out, the site is decided on as it is by now. */
    version: z.int().optional(),
  }),
  response: siteSchema,
});

export const revokeSite = defineRoute({
  id: "sites.revoke",
  method: "POST",
  path: "/sites/:id/revoke",
  summary: "Takes the certificate of a site back, for good",
  access: admins,
  scope: "own-org",
  params: idParams,
  body: z.strictObject({ reason: revocationReasonSchema }),
  response: siteSchema,
});

export const getParticipantFile = defineRoute({
  id: "sites.participantFile",
  method: "GET",
  path: "/sites/:id/participant-file",
  summary: "Gives the participant.yaml with which flare cert request is run at the site",
  access: admins,
  scope: "own-org",
  params: idParams,
  response: { mediaType: "application/yaml" },
});

export const uploadSiteRequest = defineRoute({
  id: "sites.uploadRequest",
  method: "POST",
  path: "/sites/:id/request",
  summary: "Takes the certificate request of a site, <name>.request.zip; it is answered once site and project are ready",
  access: admins,
  scope: "own-org",
  params: idParams,
  body: { mediaType: "application/zip", maxBytes: maxRequestBytes },
  response: siteSchema,
});

export const withdrawSiteRequest = defineRoute({
  id: "sites.withdrawRequest",
  method: "DELETE",
  path: "/sites/:id/request",
  summary: "Withdraws a certificate request that was not answered yet",
  access: admins,
  scope: "own-org",
  params: idParams,
  response: siteSchema,
});

export const issueSiteKit = defineRoute({
  id: "sites.issueKit",
  method: "POST",
  path: "/sites/:id/kit",
  summary: "Issues a site's kit with a key that the dashboard makes; an earlier one is revoked",
  access: admins,
  scope: "own-org",
  params: idParams,
  response: newKitSchema,
  status: 201,
});

/** Routes of sites. */
export const siteRoutes = [
  listSites,
  createSite,
  getSite,
  updateSite,
  removeSite,
  decideSite,
  revokeSite,
  getParticipantFile,
  uploadSiteRequest,
  withdrawSiteRequest,
  issueSiteKit,
] as const;
