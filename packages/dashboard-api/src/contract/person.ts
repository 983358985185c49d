import { z } from "zod";
import { idSchema, roleSchema, timeMsSchema } from "./schemas.js";

/** Where a person stands: signed up and waiting, let in, turned away, or shut out later. */
export const personStates = ["pending", "approved", "rejected", "disabled"] as const;

/** Where a person stands. */
export type PersonState = (typeof personStates)[number];

/** A person with an account. */
export const personSchema = z.object({
  id: idSchema,
  email: z.string(),
  name: z.string(),
  organization: z.string(),
  role: roleSchema,
  state: z.enum(personStates),
  hasSecondFactor: z.boolean(),
  createdAtMs: timeMsSchema,
  lastSignInAtMs: timeMsSchema.nullable(),
});

/** A person with an account. */
export type Person = z.infer<typeof personSchema>;
