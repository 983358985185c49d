import {
  defaultStudy,
  FlareError,
  type JobManifestDocument,
  jobManifestSchema,
  jobPathClash,
  jobPathProblem,
  limits,
} from "@flare-ts/contracts";
import { documentEndings, documentNames } from "./job-documents.js";
import type { JobFile } from "./job-folder.js";

/** What a submitter signs: which files, with which content, under which id, for which project. */
export interface JobManifest {
  readonly project: string;
  readonly jobId: string;
  readonly study: string;
  readonly jobFolderName: string;
  readonly createdAtMs: number;
  /** Sorted by path. */
  readonly files: readonly JobFile[];
}

/** The bytes that are signed. */
export function encodeManifest(manifest: JobManifest): Buffer {
  const files = manifest.files.map(({ path, size, sha256 }) => ({ path, size, sha256 })).sort((a, b) => (a.path < b.path ? -1 : 1));
  return Buffer.from(
    JSON.stringify({
      project: manifest.project,
      job_id: manifest.jobId,
      // Sites of versions that know no studies take a job of the study of everybody as it always was.
      ...(manifest.study === defaultStudy ? {} : { study: manifest.study }),
      job_folder_name: manifest.jobFolderName,
      created_at_ms: manifest.createdAtMs,
      files,
    } satisfies JobManifestDocument),
  );
}

/**
 * Reads a manifest whose signature was found right, and checks that its paths stay inside the job and mean one file each
 * on every file system.
 *
 * @throws FlareError `job/manifest-invalid`
 */
export function decodeManifest(bytes: Uint8Array): JobManifest {
  const parsed = jobManifestSchema.safeParse(parseJson(bytes));
  if (!parsed.success) throw invalid(parsed.error.issues[0]?.message ?? "it is not a manifest");
  const { project, job_id: jobId, study = defaultStudy, job_folder_name: jobFolderName, created_at_ms: createdAtMs, files } = parsed.data;
  for (const { path } of files) {
    const wrong = jobPathProblem(path);
    if (wrong !== undefined) throw invalid(`the path ${quote(path)} ${wrong}`);
  }
  const clash = jobPathClash(files.map(({ path }) => path));
  if (clash !== undefined) throw invalid(`${quote(clash[0])} and ${quote(clash[1])} are the same file on some file systems`);
  const manifest = { project, jobId, study, jobFolderName, createdAtMs, files };
  if (metaFileOf(manifest) === undefined) throw invalid("it has no meta.json");
  return manifest;
}

/** `meta.json` (or `.yml`) of a job. */
export function metaFileOf(manifest: Pick<JobManifest, "files">): JobFile | undefined {
  return documentOf(manifest, "", documentNames.meta);
}

/** The configuration of an app for its side, or `undefined`. */
export function configFileOf(manifest: Pick<JobManifest, "files">, app: string, side: "server" | "client"): JobFile | undefined {
  return documentOf(manifest, `${app}/`, documentNames[side]);
}

/** The files that a side needs to run an app: `meta.json` and the app's folder. */
export function filesForApp(manifest: Pick<JobManifest, "files">, app: string): readonly JobFile[] {
  const meta = metaFileOf(manifest);
  return manifest.files.filter((file) => file === meta || file.path.startsWith(`${app}/`));
}

function documentOf(manifest: Pick<JobManifest, "files">, prefix: string, name: string): JobFile | undefined {
  const paths = documentEndings.map((ending) => `${prefix}${name}${ending}`);
  return manifest.files.find(({ path }) => paths.includes(path));
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw invalid("it is not JSON");
  }
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, limits.peerTextChars));
}

function invalid(reason: string): FlareError {
  return new FlareError("job/manifest-invalid", `The list of files of a signed job cannot be accepted: ${reason}.`, { facts: { reason } });
}
