import { FlareError } from "@flare-ts/contracts";
import type { ProjectTrust } from "@flare-ts/provision/kit";
import { createSignedJob, signingTime, verifySignedJob } from "../job/signed-job.js";

export interface CloneManifestInit {
  /** The signed job as it was submitted. */
  readonly bytes: Uint8Array;
  readonly trust: ProjectTrust;
  /** Its id, as the server says. */
  readonly jobId: string;
  /** A new UUID version 4. */
  readonly newJobId: string;
  readonly project: string;
  readonly submitter: { readonly certificatePem: string; readonly privateKeyPem: string };
  readonly nowMs: number;
}

/**
 * Signs the files of a signed job anew, under another id. The first signature is verified as of its own time: nobody signs what an
 * unknown hand has put together.
 *
 * @throws FlareError what `verifySignedJob` finds; `runtime/bad-message` when it is another job than was asked for
 */
export function cloneManifest(init: CloneManifestInit): Buffer {
  const { bytes, trust, jobId, newJobId, project, submitter, nowMs } = init;
  const { manifest } = verifySignedJob({ bytes, trust, nowMs: signingTime(bytes) });
  if (manifest.jobId !== jobId) {
    throw new FlareError("runtime/bad-message", `The server gave the signed job ${manifest.jobId} for ${jobId}.`, {
      facts: { job: jobId },
    });
  }
  const { study } = manifest;
  const folder = { folderName: manifest.jobFolderName, files: manifest.files };
  return createSignedJob({ folder, jobId: newJobId, project, study, submitter, nowMs });
}
