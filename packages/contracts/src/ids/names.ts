import { z } from "zod";

/** A SHA-256 in lower-case hexadecimal: the name of a model, an update or a file in the content-addressed store. */
export type ContentHash = string & { readonly __brand: "ContentHash" };

export const contentHashSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in lower-case hexadecimal")
  .transform((text) => text as ContentHash);

/** Whether a text is a content hash. */
export function isContentHash(text: string): text is ContentHash {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Organisation, project and other simple names: FLARE's rule. */
export const simpleNameSchema = z.string().regex(/^[A-Za-z0-9_]+$/, "may hold letters, digits and _ only");

/** Name of a project: what makes a folder of one name on every system; FLARE cuts a longer one after 63 characters. */
export const projectNameSchema = z
  .string("must be a name")
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9 _.-]*[A-Za-z0-9_-])?$/,
    "may hold letters, digits, _ - . and spaces only, and begins with a letter or digit",
  );

/** The study of all sites and all admins: whoever names no study works in it. */
export const defaultStudy = "default";

/** Name of a study: FLARE's rule. */
export const studyNameSchema = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/,
    "may hold small letters, digits, - and _ only, 63 at most, and neither - nor _ at its ends",
  );

/**
 * Names of clients and relays: FLARE's rule, without those that results of jobs give to models of the server and to all sites together, and
 * without that of the folder beside a site's own in the folder of a job.
 */
export const siteNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9-_]+$/, "may hold letters, digits, - and _ only")
  .regex(/^(?!SRV_|Global$|state$)/, "must not be 'Global' or 'state' or begin with 'SRV_': jobs use such names for something else")
  .max(63);

/** Names of servers and their hosts: DNS names (RFC 1123) or an IP address. */
export const hostNameSchema = z
  .string()
  .max(253)
  .regex(
    /^(?=.)([A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$|^[0-9a-fA-F:]+$/,
    "must be a DNS name or an IP address",
  );

/** Names of admins: e-mail addresses. */
export const adminNameSchema = z.string().regex(/^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$/, "must be an e-mail address");

/** A job id: UUID version 4. */
export const jobIdSchema = z.uuid().toLowerCase();

/** Name of a privacy scope, in a site's `local/privacy.json` and in a job's `meta.json`. */
export const scopeNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "may hold letters, digits, '.', '_' and '-' only")
  .max(64);
