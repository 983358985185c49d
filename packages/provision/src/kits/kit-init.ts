import type { Participant, Project } from "../project/project.js";
import type { StoredIdentity } from "../state/project-state.js";

/** What a kit is made from. */
export interface KitInit<P extends Participant = Participant> {
  readonly project: Project;
  readonly participant: P;
  readonly identity: StoredIdentity;
  readonly rootCertificatePem: string;
}
