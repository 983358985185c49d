import { dirname, resolve } from "node:path";
import { checkDocument, projectDocumentSchema } from "@flare-ts/contracts";
import type { AddedParticipant } from "./add-participants.js";
import { CaCertificates } from "./ca-certificates.js";
import { checkNames } from "./check-names.js";
import { checkRuntime } from "./check-runtime.js";
import { checkSupport } from "./check-support.js";
import { Findings } from "./findings.js";
import { openProject } from "./open-project.js";
import type { Project, ProjectOutputs } from "./project.js";
import { type BuilderSettings, readBuilders } from "./read-builders.js";
import { readCertificateSettings } from "./read-certificate-settings.js";
import { readParticipants } from "./read-participants.js";
import { readSmallFile } from "./read-small-file.js";
import { readStudies } from "./read-studies.js";

/** Longest name of a project; FLARE cuts a longer one. */
const maxNameChars = 63;

/** What is asked for beside the project file. */
export interface ParseOptions {
  /** Participants that files of their own describe. */
  readonly added?: readonly AddedParticipant[];
  /** Whether `start_all.sh` is written. @default false */
  readonly startAll?: boolean;
}

/**
 * Turns the text of a project file, and of the files that it names, into a project with every default filled in.
 *
 * @param file path of the project file, as the person knows it; files that it names are looked for from there.
 * @throws FlareError `project/invalid` with each mistake and its line; `project/not-supported` with each line that asks
 * for what FLARE has and this version has not.
 */
export function parseProject(text: string, file: string, { added = [], startAll = false }: ParseOptions = {}): Project {
  const tree = openProject(text, file, added);
  const document = checkDocument({ tree, file, schema: projectDocumentSchema, code: "project/invalid" });
  const findings = new Findings(document);
  const written = document.value;
  checkSupport(written, findings);
  checkRuntime(written, findings);
  checkNames(written, findings);
  const builders = readBuilders(written, findings);
  const certificates = readCertificateSettings(written, builders.rootValidDays, findings);
  const studies = readStudies(written, findings);
  const people = readParticipants({ project: written, caCertificates: new CaCertificates(file, findings), findings });
  const name = cutName(written.name, findings);
  findings.throwIfAny(file);
  if (people === undefined) throw new TypeError("a project without a server passed its checks");
  return Object.freeze({
    name,
    description: written.description ?? "",
    certificates,
    ...(builders.requireSignedJobs === true ? { requireSignedJobs: true } : {}),
    ...people,
    ...(studies === undefined ? {} : { studies }),
    outputs: outputsOf(builders, file, startAll),
    plugins: builders.plugins,
    document: tree.value,
    warnings: findings.warnings,
  });
}

function cutName(name: string, findings: Findings): string {
  if (name.length <= maxNameChars) return name;
  const cut = name.slice(0, maxNameChars).replace(/[ .]+$/, "");
  findings.warning(["name"], `the name has ${name.length} characters, and is cut to ${maxNameChars}, as in FLARE: '${cut}'`);
  return cut;
}

function outputsOf({ dockerImage, compose }: BuilderSettings, file: string, startAll: boolean): ProjectOutputs {
  const places = compose === undefined ? [] : [resolve(dirname(file), compose.requirementsFile), resolve(compose.requirementsFile)];
  const requirements = places.map(readSmallFile).find((text) => text !== undefined);
  return Object.freeze({
    ...(dockerImage === undefined ? {} : { dockerImage }),
    ...(compose === undefined
      ? {}
      : {
          compose: {
            ...(compose.baseImage === undefined ? {} : { baseImage: compose.baseImage }),
            ...(requirements === undefined ? {} : { requirements }),
          },
        }),
    startAll,
  });
}
