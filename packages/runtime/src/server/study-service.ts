import {
  type AuthorizationRequest,
  adminNameSchema,
  FlareError,
  type Json,
  limits,
  simpleNameSchema,
  siteNameSchema,
} from "@flare-ts/contracts";
import { z } from "zod";
import type { Logger } from "../logging/logger.js";
import type { ServerStore } from "../store/server-store.js";
import {
  addSites,
  addUser,
  registerStudy,
  removeSites,
  removeStudy,
  removeUser,
  type StudyRequest,
  showStudy,
} from "../study/change-study.js";
import type { Studies } from "../study/studies.js";
import type { StudyChange, StudyRegistry } from "../study/study-registry.js";
import { maySee } from "../study/study-rights.js";
import type { StudyVerb } from "../study/study-verbs.js";
import type { Arguments, Caller } from "./command-gate.js";
import { parseArguments } from "./parse-arguments.js";
import type { SiteDirectory } from "./site-directory.js";
import type { StudyBoundary } from "./study-boundary.js";

export interface StudyServiceComponents {
  readonly registry: StudyRegistry;
  readonly boundary: Pick<StudyBoundary, "enforce">;
  readonly store: Pick<ServerStore, "jobs">;
  readonly directory: Pick<SiteDirectory, "known">;
  readonly logger: Logger;
  /** The server's own policy. */
  readonly isAllowed: (request: Omit<AuthorizationRequest, "site">) => boolean;
}

const study = z.string().max(limits.peerTextChars);
const names = z.array(siteNameSchema).max(limits.studyMembers);
const studyArguments = z.strictObject({ study });
const siteArguments = z.strictObject({ study, sites: names.optional(), site_orgs: z.record(simpleNameSchema, names).optional() });
const userArguments = z.strictObject({ study, user: adminNameSchema });
const noArguments = z.strictObject({});

/** Commands about studies, of admins whose role lets them. */
export class StudyService {
  readonly #parts: StudyServiceComponents;
  readonly answers: Readonly<Record<StudyVerb, (caller: Caller, args: Arguments) => Promise<Json>>> = {
    register_study: (caller, args) => this.#changeSites(caller, args, registerStudy),
    add_study_site: (caller, args) => this.#changeSites(caller, args, addSites),
    remove_study_site: (caller, args) => this.#changeSites(caller, args, removeSites),
    add_study_user: (caller, args) => this.#changeUsers(caller, args, addUser),
    remove_study_user: (caller, args) => this.#changeUsers(caller, args, removeUser),
    remove_study: (caller, args) => {
      const { study: name } = parseArguments(studyArguments, args);
      return this.#change(caller, name, async (request) => {
        const change = removeStudy(request);
        await this.#refuseWithJobs(name);
        return change;
      });
    },
    list_studies: async ({ identity }, args) => {
      parseArguments(noArguments, args);
      return this.#list(identity);
    },
    show_study: async ({ identity }, args) => {
      const { study: name } = parseArguments(studyArguments, args);
      return showStudy({ studies: this.#parts.registry.studies, caller: identity, name });
    },
  };

  constructor(components: StudyServiceComponents) {
    this.#parts = components;
  }

  #changeSites(caller: Caller, args: Arguments, change: typeof addSites): Promise<Json> {
    const { study: name, ...wanted } = parseArguments(siteArguments, args);
    const isSeen = (site: string, org: string): boolean =>
      this.#parts.directory.known().some((known) => known.name === site && known.org === org);
    return this.#change(caller, name, (request) => change(request, wanted, isSeen));
  }

  #changeUsers(caller: Caller, args: Arguments, change: typeof addUser): Promise<Json> {
    const { study: name, user } = parseArguments(userArguments, args);
    return this.#change(caller, name, (request) => change(request, user));
  }

  /** What follows from a change is done when whoever asked for it is answered. */
  async #change(
    { identity: caller }: Caller,
    name: string,
    change: (request: StudyRequest) => StudyChange<Json> | Promise<StudyChange<Json>>,
  ): Promise<Json> {
    const { registry, boundary, logger } = this.#parts;
    let before: Studies = registry.studies;
    const answer = await registry.change((studies) => {
      before = studies;
      return change({ studies, caller, name });
    });
    logger.info("study changed", { study: name, by: caller.name });
    await boundary.enforce(name, before);
    return answer;
  }

  async #refuseWithJobs(name: string): Promise<void> {
    const jobs = await this.#parts.store.jobs({ study: name });
    if (jobs.length === 0) return;
    throw new FlareError("study/has-jobs", `Study '${name}' has ${jobs.length} job(s) and cannot be removed.`, {
      facts: { study: name, jobs: jobs.length },
    });
  }

  /** In FLARE's form: the names, and of each whether the admin could submit a job to it. */
  #list({ name, org, role }: Caller["identity"]): Json {
    const { registry, isAllowed } = this.#parts;
    const user = { name, org, role };
    const seen = registry.studies.names().filter((each) => maySee(registry.studies, each, user));
    const details = seen.map((each) => {
      const may = registry.studies.hasUser(each, name) && isAllowed({ right: "submit_job", user, submitter: { name, org }, study: each });
      return { name: each, role, capabilities: { submit_job: may }, can_submit_job: may };
    });
    return { identity: user, studies: seen, study_details: details };
  }
}
