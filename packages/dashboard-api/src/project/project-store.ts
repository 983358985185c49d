import { FlareError } from "@flare-ts/contracts";
import type { Selectable, Updateable } from "kysely";
import {
  type ProjectCertificates,
  type ProjectServer,
  type ProjectStudy,
  projectCertificatesSchema,
  type SiteProperty,
} from "../contract/project.js";
import type { Database } from "../db/tables.js";
import type { ProjectTable } from "./project-tables.js";

/** The project as handlers work with it. */
export interface StoredProject {
  readonly state: "draft" | "frozen";
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly startsAtMs: number | null;
  readonly endsAtMs: number | null;
  readonly server: ProjectServer | null;
  readonly connectionSecurity: "mtls" | "tls" | "clear";
  readonly allowLogStreaming: boolean;
  readonly certificates: ProjectCertificates;
  readonly studies: readonly ProjectStudy[];
  readonly siteProperties: readonly SiteProperty[];
  readonly dockerImage: string | null;
  readonly frozenAtMs: number | null;
  readonly frozenBy: string | null;
  readonly version: number;
  /** Name of the person who made this version. */
  readonly changedBy: string | null;
}

/** A project that has its CA. */
export interface FrozenProject extends StoredProject {
  readonly state: "frozen";
  readonly server: ProjectServer;
}

/** What may be written; what is left out stays. */
export type ProjectChange = Partial<Omit<StoredProject, "version" | "changedBy">>;

/** Reads the project. */
export async function readProject(db: Database): Promise<StoredProject> {
  return projectOf(await db.selectFrom("project").selectAll().where("id", "=", "project").executeTakeFirstOrThrow());
}

/**
 * Reads a project that has its CA.
 *
 * @throws FlareError `dashboard/project-draft`
 */
export async function readFrozenProject(db: Database): Promise<FrozenProject> {
  const project = await readProject(db);
  if (isFrozen(project)) return project;
  throw new FlareError("dashboard/project-draft", "The project is not frozen yet: there is no CA that could issue kits.");
}

/** Whether a project has its CA. */
export function isFrozen(project: StoredProject): project is FrozenProject {
  return project.state === "frozen" && project.server !== null;
}

/**
 * Writes a person's change, unless somebody else changed the project since it was read.
 *
 * @throws FlareError `dashboard/changed-meanwhile`
 */
export async function writeProject(db: Database, before: StoredProject, change: ProjectChange, by: string): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable("project")
    .set({ ...rowOf(change), version: before.version + 1, changed_by: by })
    .where("version", "=", before.version)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw changedMeanwhile("the project", null);
}

/** The error of a change that was made to an older version of something. */
export function changedMeanwhile(what: string, by: string | null): FlareError {
  return new FlareError("dashboard/changed-meanwhile", `${by ?? "Somebody else"} changed ${what} in the meantime.`);
}

function projectOf(row: Selectable<ProjectTable>): StoredProject {
  return {
    state: row.state,
    name: row.name,
    title: row.title,
    description: row.description,
    startsAtMs: row.starts_at_ms,
    endsAtMs: row.ends_at_ms,
    server: row.server === null ? null : (JSON.parse(row.server) as ProjectServer),
    connectionSecurity: row.connection_security,
    allowLogStreaming: row.allow_log_streaming === 1,
    certificates: projectCertificatesSchema.parse(JSON.parse(row.certificates)),
    studies: JSON.parse(row.studies) as ProjectStudy[],
    siteProperties: JSON.parse(row.site_properties) as SiteProperty[],
    dockerImage: row.docker_image,
    frozenAtMs: row.frozen_at_ms,
    frozenBy: row.frozen_by,
    version: row.version,
    changedBy: row.changed_by,
  };
}

function rowOf(change: ProjectChange): Updateable<ProjectTable> {
  const json = (value: unknown): string | undefined => (value === undefined ? undefined : JSON.stringify(value));
  const all: Readonly<Record<string, unknown>> = {
    state: change.state,
    name: change.name,
    title: change.title,
    description: change.description,
    starts_at_ms: change.startsAtMs,
    ends_at_ms: change.endsAtMs,
    server: change.server === null ? null : json(change.server),
    connection_security: change.connectionSecurity,
    allow_log_streaming: change.allowLogStreaming === undefined ? undefined : Number(change.allowLogStreaming),
    certificates: json(change.certificates),
    studies: json(change.studies),
    site_properties: json(change.siteProperties),
    docker_image: change.dockerImage,
    frozen_at_ms: change.frozenAtMs,
    frozen_by: change.frozenBy,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
