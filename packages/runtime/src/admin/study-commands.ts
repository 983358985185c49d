import type { Json } from "@flare-ts/contracts";
import type { StudyVerb } from "../study/study-verbs.js";

/** Sites of a study, as each role names them: a project_admin by organisation, an org_admin those of the own. */
export type StudySites =
  | { readonly siteOrgs: Readonly<Record<string, readonly string[]>>; readonly sites?: undefined }
  | { readonly sites: readonly string[]; readonly siteOrgs?: undefined };

/** A study as its server describes it; the keys are FLARE's. */
export interface StudyDescription {
  readonly name: string;
  readonly site_orgs: Readonly<Record<string, readonly string[]>>;
  readonly sites: readonly string[];
  readonly users: readonly string[];
}

/** What came of a change of a study's sites; the keys are FLARE's. */
export interface StudySitesChange {
  readonly study: string;
  readonly site_orgs: Readonly<Record<string, readonly string[]>>;
  readonly sites: readonly string[];
  readonly added?: readonly string[];
  readonly already_enrolled?: readonly string[];
  readonly removed?: readonly string[];
  readonly not_enrolled?: readonly string[];
}

/** The studies that an admin may see; the keys are FLARE's. */
export interface StudyList {
  readonly identity: { readonly name: string; readonly org: string; readonly role: string };
  readonly studies: readonly string[];
  readonly study_details: readonly { readonly name: string; readonly role: string; readonly can_submit_job: boolean }[];
}

type ExecuteStudyCommand = (verb: StudyVerb, args: Readonly<Record<string, Json>>, signal: AbortSignal | undefined) => Promise<Json>;

/** Commands about studies; the server lets a project_admin and, for sites of their own organisation, an org_admin change them. */
export class StudyCommands {
  readonly #execute: ExecuteStudyCommand;

  constructor(components: { readonly execute: ExecuteStudyCommand }) {
    this.#execute = components.execute;
  }

  /** Makes a study, or adds sites to one that is there. @throws FlareError `study/…`, `auth/not-authorized` */
  async register(study: string, sites: StudySites, signal?: AbortSignal): Promise<StudyDescription> {
    return (await this.#execute("register_study", { study, ...named(sites) }, signal)) as unknown as StudyDescription;
  }

  /** @throws FlareError `study/…`, `auth/not-authorized` */
  async addSites(study: string, sites: StudySites, signal?: AbortSignal): Promise<StudySitesChange> {
    return (await this.#execute("add_study_site", { study, ...named(sites) }, signal)) as unknown as StudySitesChange;
  }

  /** The sites leave the study's jobs that run, at once. @throws FlareError `study/…`, `auth/not-authorized` */
  async removeSites(study: string, sites: StudySites, signal?: AbortSignal): Promise<StudySitesChange> {
    return (await this.#execute("remove_study_site", { study, ...named(sites) }, signal)) as unknown as StudySitesChange;
  }

  /** @throws FlareError `study/…`, `auth/not-authorized` */
  async addUser(study: string, user: string, signal?: AbortSignal): Promise<void> {
    await this.#execute("add_study_user", { study, user }, signal);
  }

  /** What the user watches of the study ends at once; the user's jobs stay. @throws FlareError `study/…`, `auth/not-authorized` */
  async removeUser(study: string, user: string, signal?: AbortSignal): Promise<void> {
    await this.#execute("remove_study_user", { study, user }, signal);
  }

  /** Removes a study that has no jobs. @throws FlareError `study/has-jobs`, `study/not-found`, `auth/not-authorized` */
  async remove(study: string, signal?: AbortSignal): Promise<void> {
    await this.#execute("remove_study", { study }, signal);
  }

  async list(signal?: AbortSignal): Promise<StudyList> {
    return (await this.#execute("list_studies", {}, signal)) as unknown as StudyList;
  }

  /** @throws FlareError `study/not-found`, `auth/not-authorized` */
  async show(study: string, signal?: AbortSignal): Promise<StudyDescription> {
    return (await this.#execute("show_study", { study }, signal)) as unknown as StudyDescription;
  }
}

function named({ sites, siteOrgs }: StudySites): Readonly<Record<string, Json>> {
  if (sites !== undefined) return { sites: [...sites] };
  return { site_orgs: Object.fromEntries(Object.entries(siteOrgs).map(([org, own]) => [org, [...own]])) };
}
