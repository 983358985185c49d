import {
  builderSchema,
  connectToMapSchema,
  edgeSchema,
  listeningHostMapSchema,
  nearestWord,
  type ProjectDocument,
  participantSchemas,
  projectDocumentSchema,
} from "@flare-ts/contracts";
import type { DocumentPath, Findings } from "./findings.js";

/** Why a key of FLARE's has no effect here. */
const effectlessKeys: Readonly<Record<string, string>> = {
  use_aio: "everything is asynchronous always",
  components: "FLARE does not read it any more",
  enable_byoc: "the policy in authorization.json decides",
  edge_service_port: "sites do not serve devices yet",
  cc_config: "machines are not attested",
};

/** Finds everything that a project file says and that has no effect here; a key that is nearly a known one is a mistake. */
export function checkSupport(project: ProjectDocument, findings: Findings): void {
  checkKeys(project, Object.keys(projectDocumentSchema.shape), [], findings);
  checkEdge(project.edge, findings);
  (project.builders ?? []).forEach((builder, index) => {
    checkKeys(builder, Object.keys(builderSchema.shape), ["builders", index], findings);
  });
  if (isMap(project.packager)) checkKeys(project.packager, Object.keys(builderSchema.shape), ["packager"], findings);
  project.participants.forEach((participant, index) => {
    const path = ["participants", index];
    if (participant.type === "other") {
      findings.warning([...path, "type"], `type '${participant.writtenType}' is not known: no kit is made for it`);
    } else if (participant.type === "overseer") {
      findings.warning(path, `overseer '${String(participant.name)}' has no effect: FLARE has no overseer any more`);
    } else checkParticipant(participant, path, findings);
  });
}

function checkEdge(edge: unknown, findings: Findings): void {
  if (!isMap(edge)) return;
  checkKeys(edge, Object.keys(edgeSchema.shape), ["edge"], findings);
  findings.warning(
    ["edge"],
    "edge makes the tree of relays and sites only: the routing proxy and what simulates devices are not written yet",
  );
  if (isGiven(edge["root_dir"]))
    findings.warning(["edge", "root_dir"], "root_dir has no effect: --workspace says where the project is kept");
}

function checkParticipant(
  participant: Readonly<Record<string, unknown>> & { type: keyof typeof participantSchemas },
  path: DocumentPath,
  findings: Findings,
): void {
  const schema = participantSchemas[participant.type];
  checkKeys(participant, Object.keys(schema.shape), path, findings);
  for (const [key, reason] of Object.entries(effectlessKeys)) {
    if (isGiven(participant[key])) findings.warning([...path, key], `${key} has no effect: ${reason}`);
  }
  const maps = {
    connect_to: connectToMapSchema,
    listening_host: listeningHostMapSchema,
    capacity: participantSchemas.client.shape.capacity.unwrap().unwrap(),
  };
  for (const [key, { shape }] of Object.entries(maps)) {
    const value = participant[key];
    if (isMap(value)) checkKeys(value, Object.keys(shape), [...path, key], findings);
  }
}

function checkKeys(value: Readonly<Record<string, unknown>>, known: readonly string[], path: DocumentPath, findings: Findings): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const near = nearestWord(key, known);
    // FLARE would go on with the default in silence, and a port or a name that nobody asked for.
    if (near !== undefined && isSlip(key, near)) findings.mistake([...path, key], `unknown key '${key}'; did you mean '${near}'?`);
    else findings.warning([...path, key], `unknown key '${key}' has no effect`);
  }
}

/** Short words are near to each other by chance, unless they have the same letters. */
function isSlip(key: string, near: string): boolean {
  const sorted = (word: string): string => Array.from(word.toLowerCase()).sort().join("");
  return key.length >= 5 || sorted(key) === sorted(near);
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
