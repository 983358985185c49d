import { z } from "zod";

/** A duration as jobs write it: seconds, more than 0, and no longer than a timer can run (24 days). */
export const seconds = z.number().positive("must be more than 0 seconds").max(2_000_000, "must be at most 2000000 seconds");
