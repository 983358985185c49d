import { expect, it } from "vitest";
import { journalEntrySchema } from "./jobs.js";

it("an entry of a journal comes with all that its event says, also what only servers of another version know", () => {
  const entry = {
    seq: 7,
    atMs: 1_900_000_000_000,
    event: { type: "round-opened", round: 3, workflow: "cross-site-evaluation", evaluates: "SRV_FL_global_model", more: { of: ["it"] } },
  };
  expect(journalEntrySchema.parse(entry)).toEqual(entry);
});
