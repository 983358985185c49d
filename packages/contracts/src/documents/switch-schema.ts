import { z } from "zod";

const words: Readonly<Record<string, boolean>> = { yes: true, on: true, true: true, no: false, off: false, false: false };

/** True or false; also as `yes`, `no`, `on` and `off`, which are the same in YAML 1.1, as Python reads it. */
export const switchSchema = z.preprocess(
  (written) => (typeof written === "string" ? (words[written.toLowerCase()] ?? written) : written),
  z.boolean("must be true or false"),
);
