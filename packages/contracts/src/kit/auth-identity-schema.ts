import { z } from "zod";

/** The identity that a participant is authenticated by, where it is not its name. */
export const authIdentitySchema = z.string().min(1);

/** Full name of a participant behind relays to the identity that it is authenticated by. */
export const authIdentityMapSchema = z.record(z.string().min(1), authIdentitySchema);
