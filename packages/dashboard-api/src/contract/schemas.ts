import { z } from "zod";
import { roles } from "./roles.js";

/** An id: UUID version 4. */
export const idSchema = z.uuid({ version: "v4", error: "must be an id (UUID)" });

/** A time: milliseconds since the epoch. */
export const timeMsSchema = z.int().nonnegative();

/** `{ id }`, for paths with one id. */
export const idParams = z.strictObject({ id: idSchema });

/** A person's role. */
export const roleSchema = z.enum(roles, { error: `must be one of ${roles.join(", ")}` });

/** An e-mail address as FLARE names admins by; kept in small letters. */
export const emailSchema = z
  .string("must be an e-mail address")
  .trim()
  .toLowerCase()
  .max(254, "may have 254 characters at most")
  .regex(/^[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,}$/, "must be an e-mail address");

/** An organisation's name: FLARE's rule for simple names. */
export const organizationSchema = z
  .string("must be the name of an organisation")
  .max(63, "may have 63 characters at most")
  .regex(/^[A-Za-z0-9_]+$/, "may hold letters, digits and _ only");

/** What a line may not hold, as a class of a regular expression: control characters, and what turns the text around it, as another name would show. */
export const unfitForLines = String.raw`\p{Cc}\u{202a}-\u{202e}\u{2066}-\u{2069}`;

/** A line that a person writes: a name, a title. */
export const lineSchema = z
  .string("must be a text")
  .trim()
  .min(1, "must not be empty")
  .max(200, "may have 200 characters at most")
  .regex(new RegExp(`^[^${unfitForLines}]*$`, "u"), "must be one line without control characters");

/** A secret token of a link: 256 bits in base64url. */
export const tokenSchema = z
  .string("must be the token of a link")
  .regex(/^[A-Za-z0-9_-]{43}$/, "is not a whole token; copy the link again");

/** A password that somebody enters; what a new one has to be is checked by the dashboard. */
export const passwordSchema = z.string("must be a password").min(1, "must not be empty").max(1024, "may have 1,024 characters at most");

/** A code of the app, or one of the recovery codes. */
export const codeSchema = z
  .string("must be a code")
  .trim()
  .min(6, "has 6 digits, or is a recovery code")
  .max(32, "has 6 digits, or is a recovery code");
