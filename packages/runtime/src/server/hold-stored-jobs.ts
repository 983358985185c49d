import { FlareError } from "@flare-ts/contracts";
import { isFinished } from "../job/job-status.js";
import { errorField, type Logger } from "../logging/logger.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { ServerStore } from "../store/server-store.js";
import type { DefinitionReader } from "./job-definition.js";

/**
 * Names to the retention what jobs that wait or are over still need; a job that runs does so itself. A job whose definition
 * cannot be read any more keeps its results, and does not keep the server from starting.
 */
export async function holdResultsAndWaitingJobs(components: {
  readonly store: ServerStore;
  readonly retention: ObjectRetention;
  readonly readDefinition: DefinitionReader;
  readonly logger: Logger;
}): Promise<void> {
  const { store, retention, readDefinition, logger } = components;
  for (const { jobId, status, signedJob, result } of await store.jobs()) {
    const files = await readDefinition(signedJob).then(
      ({ manifest }) => manifest.files.map((file) => file.sha256),
      (error: unknown) => {
        // That a submitter is not trusted any more is told where the job is ended; a finished one stays as it is.
        const level = FlareError.from(error).code.startsWith("job/signer-") ? "debug" : "error";
        logger[level]("the definition of a job cannot be read", { job: jobId, error: errorField(error) });
        return [];
      },
    );
    const best = isFinished(status)
      ? (await store.entries(jobId)).flatMap(({ event }) => (event.type === "best-model" ? [event.model.hash] : []))
      : [];
    await retention.hold(`job:${jobId}`, [signedJob.hash, ...files, ...(result === undefined ? [] : [result.hash]), ...best.slice(-1)]);
  }
}
