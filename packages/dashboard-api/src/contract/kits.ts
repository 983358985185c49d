import { z } from "zod";
import { certificateRequestSchema, maxRequestBytes } from "./certificate-requests.js";
import { defineRoute } from "./define-route.js";
import { idParams, idSchema, timeMsSchema, tokenSchema } from "./schemas.js";

/** Reasons for taking a certificate back (RFC 5280). */
export const revocationReasons = [
  "keyCompromise",
  "cACompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "privilegeWithdrawn",
  "unspecified",
] as const;

/** Why a certificate is taken back (RFC 5280). */
export const revocationReasonSchema = z.enum(revocationReasons, { error: `must be one of ${revocationReasons.join(", ")}` });

/** A kit that was issued, and what became of it. */
export const kitSchema = z.object({
  id: idSchema,
  /** `dashboard` is the dashboard's own. */
  kind: z.enum(["site", "server", "console", "dashboard"]),
  /** Name in the certificate: of a site, of the server, a person's e-mail address. */
  participant: z.string(),
  organization: z.string(),
  /** Role in the certificate. */
  role: z.string(),
  /** `made`: the dashboard made the key. `requested`: the participant did, and it never left. */
  source: z.enum(["made", "requested"]),
  /** Lower-case hexadecimal. */
  serial: z.string(),
  /** SHA-256 of the certificate, `AA:BB:…`. */
  fingerprint: z.string(),
  validFromMs: timeMsSchema,
  validToMs: timeMsSchema,
  /** `revoking` waits for the CA to be unlocked; `replaced` was followed by another for the same key or root. */
  condition: z.enum(["good", "ending", "ended", "replaced", "revoking", "revoked"]),
  revocation: z.object({ reason: z.string(), atMs: timeMsSchema, by: z.string() }).nullable(),
  /** Its certificate comes from a root that is being replaced: issue it again. */
  isBelowFormerRoot: z.boolean(),
  issuedAtMs: timeMsSchema,
  /** Name of who had it issued. */
  issuedBy: z.string(),
  /** What can still be downloaded; a kit with a private key once, the answer to a request again and again. */
  archive: z.object({ fileName: z.string(), bytes: z.int(), isSecret: z.boolean(), untilMs: timeMsSchema.nullable() }).nullable(),
  /** When its archive was downloaded, and by whom: a person's name, or the address that used a link. */
  delivery: z.object({ atMs: timeMsSchema, to: z.string() }).nullable(),
  /** The link that is open. */
  link: z.object({ expiresAtMs: timeMsSchema, by: z.string() }).nullable(),
  siteId: idSchema.nullable(),
  personId: idSchema.nullable(),
});

/** A kit that was issued, and what became of it. */
export type IssuedKit = z.infer<typeof kitSchema>;

/** A kit that was made just now. */
export const newKitSchema = z.object({
  kit: kitSchema,
  /** Opens the archive; shown this once, it is kept nowhere. */
  passphrase: z.string(),
});

const everybody = ["project_admin", "org_admin", "lead", "member"] as const;

export const listKits = defineRoute({
  id: "kits.list",
  method: "GET",
  path: "/kits",
  summary: "Lists kits: all for a project admin, those of their organisation's sites for org admins, and everybody's own",
  access: everybody,
  scope: "own-org",
  response: z.object({ kits: z.array(kitSchema) }),
});

export const issueServerKit = defineRoute({
  id: "server.issueKit",
  method: "POST",
  path: "/server/kit",
  summary: "Issues the server's kit; an earlier one is revoked",
  access: ["project_admin"],
  response: newKitSchema,
  status: 201,
});

export const issueMyKit = defineRoute({
  id: "me.issueKit",
  method: "POST",
  path: "/me/kit",
  summary: "Issues one's own console kit, with one's role; an earlier one is revoked",
  access: everybody,
  response: newKitSchema,
  status: 201,
});

/** One's own console kit, and the request for one that is not answered yet. */
export const myConsoleSchema = z.object({ request: certificateRequestSchema.nullable(), kit: kitSchema.nullable() });

export const getMyConsole = defineRoute({
  id: "me.console",
  method: "GET",
  path: "/me/kit",
  summary: "Shows one's own newest console kit, and the certificate request that is not answered yet",
  access: everybody,
  response: myConsoleSchema,
});

export const getMyParticipantFile = defineRoute({
  id: "me.participantFile",
  method: "GET",
  path: "/me/kit/participant-file",
  summary: "Gives the participant.yaml with which flare cert request is run on one's own machine",
  access: everybody,
  response: { mediaType: "application/yaml" },
});

export const uploadMyRequest = defineRoute({
  id: "me.uploadRequest",
  method: "POST",
  path: "/me/kit/request",
  summary: "Takes one's own certificate request, <e-mail address>.request.zip, so that the private key never leaves one's machine",
  access: everybody,
  body: { mediaType: "application/zip", maxBytes: maxRequestBytes },
  response: myConsoleSchema,
});

export const withdrawMyRequest = defineRoute({
  id: "me.withdrawRequest",
  method: "DELETE",
  path: "/me/kit/request",
  summary: "Withdraws one's own certificate request that was not answered yet",
  access: everybody,
  response: myConsoleSchema,
});

export const revokeKit = defineRoute({
  id: "kits.revoke",
  method: "POST",
  path: "/kits/:id/revoke",
  summary: "Takes the certificate of a kit back, for good",
  access: everybody,
  scope: "own-org",
  params: idParams,
  body: z.strictObject({ reason: revocationReasonSchema }),
  response: kitSchema,
});

export const downloadKit = defineRoute({
  id: "kits.download",
  method: "GET",
  path: "/kits/:id/archive",
  summary: "Gives the archive of a kit; one with a private key is gone from the dashboard afterwards",
  access: everybody,
  scope: "own-org",
  params: idParams,
  response: { mediaType: "application/zip" },
});

export const createKitLink = defineRoute({
  id: "kits.createLink",
  method: "POST",
  path: "/kits/:id/link",
  summary: "Makes a link by which somebody without an account downloads the archive once; an earlier link stops working",
  access: everybody,
  scope: "own-org",
  params: idParams,
  body: z.strictObject({ expiresInHours: z.int().min(1).max(336).default(72) }),
  response: z.object({
    kit: kitSchema,
    /** To pass on, by another way than the passphrase; shown this once. */
    link: z.string(),
  }),
  status: 201,
});

export const revokeKitLink = defineRoute({
  id: "kits.revokeLink",
  method: "DELETE",
  path: "/kits/:id/link",
  summary: "Withdraws the link of a kit",
  access: everybody,
  scope: "own-org",
  params: idParams,
  response: kitSchema,
});

export const readKitLink = defineRoute({
  id: "kitLinks.read",
  method: "POST",
  path: "/kit-links/read",
  summary: "Shows what a link leads to; the link stays good",
  access: "open",
  body: z.strictObject({ token: tokenSchema }),
  response: z.object({
    project: z.string(),
    /** Of the project's root; compare it over another way. */
    rootFingerprint: z.string(),
    kind: kitSchema.shape.kind,
    source: kitSchema.shape.source,
    participant: z.string(),
    fileName: z.string(),
    bytes: z.int(),
    expiresAtMs: timeMsSchema,
  }),
});

export const useKitLink = defineRoute({
  id: "kitLinks.use",
  method: "POST",
  path: "/kit-links/use",
  summary: "Gives the archive that a link leads to, once",
  access: "open",
  body: z.strictObject({ token: tokenSchema }),
  response: { mediaType: "application/zip" },
  status: 200,
});

/** Routes of kits. */
export const kitRoutes = [
  listKits,
  issueServerKit,
  issueMyKit,
  getMyConsole,
  getMyParticipantFile,
  uploadMyRequest,
  withdrawMyRequest,
  revokeKit,
  downloadKit,
  createKitLink,
  revokeKitLink,
  readKitLink,
  useKitLink,
] as const;
