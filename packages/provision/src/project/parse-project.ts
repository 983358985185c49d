import { checkDocument, projectDocumentSchema, readDocumentTree } from "@flare-ts/contracts";
import { CaCertificates } from "./ca-certificates.js";
import { checkNames } from "./check-names.js";
import { checkRuntime } from "./check-runtime.js";
import { checkSupport } from "./check-support.js";
import { Findings } from "./findings.js";
import type { Project } from "./project.js";
import { readBuilders } from "./read-builders.js";
import { readCertificates } from "./read-certificates.js";
import { readParticipants } from "./read-participants.js";
import { readStudies } from "./read-studies.js";

/**
 * Turns the text of a project file into a project with every default filled in.
 *
 * @throws FlareError `project/invalid` with each mistake and its line; `project/not-supported` with each line that asks
 * for what FLARE has and this version has not.
 */
export function parseProject(text: string, file: string): Project {
  const code = "project/invalid";
  const tree = readDocumentTree({ text, file, code, hasMergeKeys: true });
  const document = checkDocument({ tree, file, schema: projectDocumentSchema, code });
  const findings = new Findings(document);
  const written = document.value;
  checkSupport(written, findings);
  checkRuntime(written, findings);
  checkNames(written, findings);
  const builders = readBuilders(written, findings);
  const certificates = readCertificates(written, builders.rootValidDays, findings);
  const studies = readStudies(written, findings);
  const people = readParticipants({ project: written, caCertificates: new CaCertificates(file, findings), findings });
  findings.throwIfAny(file);
  if (people === undefined) throw new TypeError("a project without a server passed its checks");
  return Object.freeze({
    name: written.name,
    description: written.description ?? "",
    certificates,
    ...(builders.requireSignedJobs === true ? { requireSignedJobs: true } : {}),
    ...people,
    ...(studies === undefined ? {} : { studies }),
    outputs: { ...(builders.dockerImage === undefined ? {} : { dockerImage: builders.dockerImage }), startAll: false },
    plugins: builders.plugins,
    document: tree.value,
    warnings: findings.warnings,
  });
}
