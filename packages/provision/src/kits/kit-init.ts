import type { Participant, Project } from "../project/project.js";
import type { StoredIdentity } from "../state/project-state.js";

/** What a kit is made from. */
export interface KitInit<P extends Participant = Participant> {
  readonly project: Project;
  readonly participant: P;
  /** The certificate may be followed by those of intermediates. */
  readonly identity: StoredIdentity;
  /** One root certificate, or several while one takes over from the other. */
  readonly rootCertificatePem: string;
  /** By which a site or a relay with a `listening_host` is known to those that connect to it. */
  readonly listener?: StoredIdentity | undefined;
  /** With which a server renews certificates, where the project lets it. */
  readonly issuing?: StoredIdentity | undefined;
  /** The trust list in force, where there is one. */
  readonly trustListText?: string | undefined;
}
