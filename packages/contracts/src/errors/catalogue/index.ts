import { aggregateErrors } from "./aggregate.js";
import { archiveErrors } from "./archive.js";
import { authErrors } from "./auth.js";
import { certificateErrors } from "./certificate.js";
import { clientApiErrors } from "./client-api.js";
import { dashboardErrors } from "./dashboard.js";
import { generalErrors } from "./general.js";
import { gpuErrors } from "./gpu.js";
import { jobErrors } from "./job.js";
import { kitErrors } from "./kit.js";
import { pocErrors } from "./poc.js";
import { preflightErrors } from "./preflight.js";
import { privacyErrors } from "./privacy.js";
import { projectErrors } from "./project.js";
import { requestErrors } from "./request.js";
import type { ErrorRow } from "./row.js";
import { runtimeErrors } from "./runtime.js";
import { secureErrors } from "./secure.js";
import { simulatorErrors } from "./simulator.js";
import { studyErrors } from "./study.js";
import { transferErrors } from "./transfer.js";
import { trustErrors } from "./trust.js";

/** Every error code of FLARE-TS with what follows from it; `docs/errors.md` is made from this table. */
export const errorCatalogue = Object.freeze({
  ...generalErrors,
  ...projectErrors,
  ...kitErrors,
  ...archiveErrors,
  ...requestErrors,
  ...certificateErrors,
  ...authErrors,
  ...trustErrors,
  ...privacyErrors,
  ...secureErrors,
  ...transferErrors,
  ...jobErrors,
  ...studyErrors,
  ...runtimeErrors,
  ...aggregateErrors,
  ...clientApiErrors,
  ...pocErrors,
  ...simulatorErrors,
  ...preflightErrors,
  ...gpuErrors,
  ...dashboardErrors,
}) satisfies Record<string, ErrorRow>;

/** A code of the catalogue, `area/what`. */
export type ErrorCode = keyof typeof errorCatalogue;
