import { defaultStudy, FlareError, type Json } from "@flare-ts/contracts";
import type { Studies, Study } from "./studies.js";
import type { StudyChange } from "./study-registry.js";
import { checkStudyName, maySee, type StudyCaller } from "./study-rights.js";

/** Sites as they are asked for: by organisation of a project_admin, and of an org_admin sites of the own. */
export interface RequestedSites {
  readonly sites?: readonly string[] | undefined;
  readonly site_orgs?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** What a change is asked by, and of which study. */
export interface StudyRequest {
  readonly studies: Studies;
  readonly caller: StudyCaller;
  readonly name: string;
}

/** Whether the server has seen a site of this organisation. */
export type SeenSite = (site: string, org: string) => boolean;

/**
 * Makes a study, or adds sites to one that is there; who registers it is one of its users.
 *
 * @throws FlareError `study/invalid-name`, `study/wrong-arguments`, `study/exists`, `study/site-unknown`
 */
export function registerStudy(request: StudyRequest, wanted: RequestedSites, isSeen: SeenSite): StudyChange<Json> {
  const { studies, caller, name } = request;
  checkNewName(name);
  const groups = groupsOf(wanted, caller);
  if (studies.get(name) !== undefined && !maySee(studies, name, caller)) {
    throw new FlareError("study/exists", `There is a study '${name}' already.`, { facts: { study: name } });
  }
  const { study } = withSites(studies.get(name) ?? { siteOrgs: new Map(), users: [] }, groups, isSeen);
  const users = study.users.includes(caller.name) ? study.users : [...study.users, caller.name];
  return changed(studies, name, { ...study, users }, (made) => describeStudy(name, made));
}

/** @throws FlareError `study/wrong-arguments`, `study/not-found`, `study/site-unknown` */
export function addSites(request: StudyRequest, wanted: RequestedSites, isSeen: SeenSite): StudyChange<Json> {
  const { studies, caller, name } = request;
  const groups = groupsOf(wanted, caller);
  const { study, added, already } = withSites(visibleStudy(request), groups, isSeen);
  return changed(studies, name, study, (made) => ({ study: name, ...sitesOf(made), added, already_enrolled: already }));
}

/** Sites need not be connected to be removed. @throws FlareError `study/wrong-arguments`, `study/not-found` */
export function removeSites(request: StudyRequest, wanted: RequestedSites): StudyChange<Json> {
  const { studies, caller, name } = request;
  const groups = groupsOf(wanted, caller);
  const before = visibleStudy(request);
  const siteOrgs = new Map(before.siteOrgs);
  const [removed, absent]: [string[], string[]] = [[], []];
  for (const [org, sites] of groups) {
    const own = siteOrgs.get(org) ?? [];
    for (const site of sites) (own.includes(site) ? removed : absent).push(site);
    const rest = own.filter((site) => !sites.includes(site));
    if (rest.length > 0) siteOrgs.set(org, rest);
    else siteOrgs.delete(org);
  }
  const study = removed.length === 0 ? before : { ...before, siteOrgs };
  return changed(studies, name, study, (made) => ({ study: name, ...sitesOf(made), removed, not_enrolled: absent }));
}

/** @throws FlareError `study/not-found`, `study/user-there` */
export function addUser(request: StudyRequest, user: string): StudyChange<Json> {
  const { studies, name } = request;
  const study = visibleStudy(request);
  if (study.users.includes(user)) {
    throw new FlareError("study/user-there", `${user} is in study '${name}' already.`, { facts: { study: name, user } });
  }
  return changed(studies, name, { ...study, users: [...study.users, user] }, () => ({ study: name, user }));
}

/** @throws FlareError `study/not-found`, `study/user-not-there` */
export function removeUser(request: StudyRequest, user: string): StudyChange<Json> {
  const { studies, name } = request;
  const study = visibleStudy(request);
  if (!study.users.includes(user)) {
    throw new FlareError("study/user-not-there", `${user} is not in study '${name}'.`, { facts: { study: name, user } });
  }
  const users = study.users.filter((each) => each !== user);
  return changed(studies, name, { ...study, users }, () => ({ study: name, user, removed: true }));
}

/** @throws FlareError `study/not-found` */
export function removeStudy(request: StudyRequest): StudyChange<Json> {
  visibleStudy(request);
  const { studies, name } = request;
  return { studies: studies.without(name), answer: { name, removed: true } };
}

/** @throws FlareError `study/not-found` */
export function showStudy(request: StudyRequest): Json {
  return describeStudy(request.name, visibleStudy(request));
}

/** A study that is not there and one that may not be seen are refused in the same words. */
function visibleStudy({ studies, caller, name }: StudyRequest): Study {
  checkNewName(name);
  const study = studies.get(name);
  if (study !== undefined && maySee(studies, name, caller)) return study;
  throw new FlareError("study/not-found", `There is no study '${name}'.`, { facts: { study: name } });
}

function checkNewName(name: string): void {
  checkStudyName(name);
  if (name === defaultStudy) {
    throw new FlareError("study/invalid-name", `'${defaultStudy}' is the study of everybody, and cannot be changed.`, {
      facts: { study: name },
    });
  }
}

type SiteGroups = ReadonlyMap<string, readonly string[]>;

/** As in FLARE, each role names sites in its own way, so that nobody takes a site of another organisation for one of the own. */
function groupsOf({ sites, site_orgs }: RequestedSites, { name, role, org }: StudyCaller): SiteGroups {
  const isProject = role === "project_admin";
  if ((isProject ? sites : site_orgs) !== undefined) {
    const how = isProject
      ? "a project_admin names sites with their organisations"
      : "an org_admin names sites of the own organisation only";
    throw new FlareError("study/wrong-arguments", `${name} named sites in the wrong way: ${how}.`, { facts: { role } });
  }
  const groups = new Map(isProject ? Object.entries(site_orgs ?? {}) : [[org, sites ?? []] as const]);
  const all = [...groups.values()].flat();
  if (all.length === 0 || [...groups.values()].some((each) => each.length === 0)) {
    throw new FlareError("study/wrong-arguments", "No site is named.", { facts: { role } });
  }
  if (new Set(all).size < all.length) throw new FlareError("study/wrong-arguments", "A site is named twice.", { facts: { role } });
  return groups;
}

function withSites(study: Study, groups: SiteGroups, isSeen: SeenSite) {
  const siteOrgs = new Map(study.siteOrgs);
  const [added, already]: [string[], string[]] = [[], []];
  for (const [org, sites] of groups) {
    const own = siteOrgs.get(org) ?? [];
    const fresh = sites.filter((site) => !own.includes(site));
    already.push(...sites.filter((site) => own.includes(site)));
    for (const site of fresh) {
      if (isSeen(site, org)) continue;
      throw new FlareError("study/site-unknown", `The server has seen no site '${site}' of '${org}' since it started.`, {
        facts: { site, org },
      });
    }
    added.push(...fresh);
    // A site that has changed its organisation stands in one place.
    for (const [other, theirs] of siteOrgs) {
      const rest = theirs.filter((site) => !fresh.includes(site));
      if (rest.length > 0) siteOrgs.set(other, rest);
      else siteOrgs.delete(other);
    }
    if (fresh.length > 0) siteOrgs.set(org, [...own, ...fresh]);
  }
  return { study: added.length === 0 ? study : { ...study, siteOrgs }, added, already };
}

function changed(studies: Studies, name: string, study: Study, answerOf: (study: Study) => Json): StudyChange<Json> {
  return { studies: study === studies.get(name) ? studies : studies.with(name, study), answer: answerOf(study) };
}

function sitesOf({ siteOrgs }: Study) {
  const site_orgs = Object.fromEntries([...siteOrgs].map(([org, sites]) => [org, [...sites]]));
  return { site_orgs, sites: [...siteOrgs.values()].flat().sort() };
}

function describeStudy(name: string, study: Study): Json {
  return { name, ...sitesOf(study), users: [...study.users] };
}
