import { row } from "./row.js";

/** Errors of what a site's privacy policy does not let out. */
export const privacyErrors = {
  "privacy/scope-unknown": row(
    "user",
    "A job asks for a privacy scope that the site does not have, or for none where the site has no default one.",
    "Set `scope` in the job's `meta.json` to a scope that its sites have, or ask the site to add it to `local/privacy.json`.",
  ),
  "privacy/nothing-left": row(
    "site",
    "The filters of the site's privacy policy, or those of the job, leave nothing of an update.",
    "Compare the filters of the scope in `local/privacy.json`, or of the job's `task_result_filters`, with the tensors that the job trains; tensors of integers never pass a filter of values.",
  ),
  "privacy/tensors-missing": row(
    "user",
    "An update lacks a tensor of the model, where noise is put on all of them: which ones are sent would be told without noise.",
    "Send every floating tensor that was received, changed or not, or start from a model that has only what is trained; the site, or the job, may leave tensors out for all with `ExcludeVars`.",
  ),
  "privacy/statistics-held-back": row(
    "site",
    "A job asks for statistics of a site's data, and the job's privacy scope there has filters, but none of statistics.",
    "Add `MinCountCleanser`, `AddNoiseToMinMax` or `HistogramBinsCleanser` to the scope in the site's `local/privacy.json`, or have the job name a scope that lets statistics out.",
  ),
  "privacy/psi-held-back": row(
    "site",
    "A job asks the site to take part in a private set intersection, and the site's privacy policy does not let it, or not with so many identifiers.",
    "Add `AllowPsi`, or one with larger `max_items`, to the job's scope in the site's `local/privacy.json`, or have the job name a scope that has it.",
  ),
  "privacy/budget-spent": row(
    "site",
    "Another update would take the site beyond the `epsilon_budget` of its privacy scope.",
    "Nothing more of this scope leaves the site. Whoever answers for its data may set a larger `epsilon_budget` in `local/privacy.json`, or more noise.",
  ),
  "privacy/aggregation-not-secure": row(
    "user",
    "A site lets updates out only where the server adds those of enough sites without reading them, and the job does not ask for that.",
    "Set `secure_aggregation` in the job's `meta.json`, with a `min_sites` that is not below that of the site's `local/privacy.json`.",
  ),
};
