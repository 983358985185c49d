import { isFinished } from "../job/job-status.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { ServerStore } from "../store/server-store.js";
import type { DefinitionReader } from "./job-definition.js";

/** Names to the retention what jobs that wait or are over still need; a job that runs does so itself. */
export async function holdResultsAndWaitingJobs(components: {
  readonly store: ServerStore;
  readonly retention: ObjectRetention;
  readonly readDefinition: DefinitionReader;
}): Promise<void> {
  const { store, retention, readDefinition } = components;
  for (const { jobId, status, signedJob, result } of await store.jobs()) {
    const { manifest } = await readDefinition(signedJob);
    const best = isFinished(status)
      ? (await store.entries(jobId)).flatMap(({ event }) => (event.type === "best-model" ? [event.model.hash] : []))
      : [];
    await retention.hold(`job:${jobId}`, [
      signedJob.hash,
      ...manifest.files.map((file) => file.sha256),
      ...(result === undefined ? [] : [result.hash]),
      ...best.slice(-1),
    ]);
  }
}
