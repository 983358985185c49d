import type { SiteState } from "../contract/sites.js";

/** The one project; its single row is always there. */
export interface ProjectTable {
  readonly id: "project";
  state: "draft" | "frozen";
  name: string;
  title: string;
  description: string;
  starts_at_ms: number | null;
  ends_at_ms: number | null;
  /** JSON; `null` until it was filled in. */
  server: string | null;
  connection_security: "mtls" | "tls" | "clear";
  allow_log_streaming: number;
  /** JSON. */
  certificates: string;
  /** JSON. */
  studies: string;
  /** JSON. */
  site_properties: string;
  docker_image: string | null;
  frozen_at_ms: number | null;
  /** Name of a person. */
  frozen_by: string | null;
  version: number;
  /** Name of the person who made this version; `null` for the first, and for those of earlier releases. */
  changed_by: string | null;
}

/** Sites and what they say of themselves. */
export interface SitesTable {
  readonly id: string;
  name: string;
  /** In small letters: two names that differ in capitals alone are one. */
  name_key: string;
  organization: string;
  description: string;
  state: SiteState;
  gpus: number;
  mem_per_gpu_gib: number;
  /** JSON. */
  properties: string;
  allow_log_streaming: number;
  readonly created_at_ms: number;
  readonly created_by: string;
  decided_at_ms: number | null;
  decided_by: string | null;
  decision_note: string;
  /** Of what the site says about itself; grows with each change. */
  version: number;
  /** Name of the person who made this version; `null` for the first, and for those of earlier releases. */
  changed_by: string | null;
}

/** Tables of the project and its sites. */
export interface ProjectTables {
  readonly project: ProjectTable;
  readonly sites: SitesTable;
}
