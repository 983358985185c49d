import { row } from "./row.js";

/** Errors of secure aggregation. */
export const secureErrors = {
  "secure/key-untrusted": row(
    "server",
    "The key of another site, with which a mask is agreed on, is not signed by a certificate that this site accepts for that; no update leaves it.",
    "Look who the certificate is of. One that the server itself has issued, in a renewal, is not accepted: the server could make such a one for anybody. Set `renewal: ca_holder` in the project file, have whoever holds the CA sign the site's renewal (`flare cert renewals`), and submit the job again.",
  ),
  "secure/refused": row(
    "server",
    "The server asked a site for something that would let it read an update by itself; the site did not answer.",
    "Look at `facts` for what it was. An honest server never asks this: find out what runs there before the site takes part again.",
  ),
  "secure/answer-invalid": row(
    "site",
    "What a site answered to a step of secure aggregation cannot be used; the round goes on without it.",
    "Make sure that the site runs a version of FLARE-TS that the server knows, and that nothing between them changes messages.",
  ),
};
