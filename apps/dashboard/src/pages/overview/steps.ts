import type { Invitation, IssuedKit, Job, Person, Project } from "@flare-ts/dashboard-api/contract";
import type { AnySite } from "../sites/all-sites.js";

/** One step on the way to a running federation. */
export interface Step {
  readonly title: string;
  /** What to do for it. */
  readonly about: string;
  /** What the button says. */
  readonly verb: string;
  readonly href: string;
  readonly isDone: boolean;
}

export interface AdminStepsInit {
  readonly project: Project;
  readonly sites: readonly AnySite[];
  readonly jobs: readonly Job[];
  readonly people: readonly Person[];
  readonly invitations: readonly Invitation[];
  readonly kits: readonly IssuedKit[];
  readonly isServerReached: boolean;
}

/** The steps of a project admin, in their order. */
export function adminSteps({ project, sites, jobs, people, invitations, kits, isServerReached }: AdminStepsInit): readonly Step[] {
  const registered = sites.flatMap(({ registered: site }) => (site === undefined ? [] : [site]));
  const waiting = people.filter(({ state }) => state === "pending").length + registered.filter(({ state }) => state === "pending").length;
  const isPersonWaiting = people.some(({ state }) => state === "pending");
  return [
    {
      title: "Describe the project",
      about: "Its name, and the server where all connect.",
      verb: "To the project",
      href: "/project",
      isDone: project.state === "frozen" || project.missing.length === 0,
    },
    {
      title: "Freeze the project",
      about: "That makes its certificate authority; then kits can be issued.",
      verb: "To the project",
      href: "/project",
      isDone: project.state === "frozen",
    },
    {
      title: "Invite people",
      about: "An organisation admin for each institution brings its sites; leads submit jobs.",
      verb: "Invite",
      href: "/invitations?new",
      isDone: invitations.length > 0 || people.length > 1,
    },
    {
      title: "Have sites added",
      about: "Organisation admins add theirs; you can add sites too.",
      verb: "To the sites",
      href: "/sites",
      isDone: sites.length > 0,
    },
    {
      title: "Approve who waits",
      about: waiting === 1 ? "One decision waits for you." : `${waiting} decisions wait for you.`,
      verb: "Decide",
      href: isPersonWaiting ? "/people" : "/sites",
      isDone: waiting === 0 && sites.length > 0,
    },
    {
      title: "Start the server",
      about: "Issue its kit, and start it where the sites can reach it.",
      verb: "To the kits",
      href: "/kits",
      isDone: isServerReached || (kits.some(({ kind, condition }) => kind === "server" && condition === "good") && jobs.length > 0),
    },
    {
      title: "Have a site connect",
      about: "Each site needs its kit and is started where its data is.",
      verb: "To the sites",
      href: "/sites",
      isDone: sites.some(({ working }) => working !== undefined),
    },
    {
      title: "Submit a job",
      about: "Begin with a template to see everything at work.",
      verb: "Submit a job",
      href: "/jobs?new",
      isDone: jobs.length > 0,
    },
  ];
}

/** The steps of an org admin, in their order. */
export function orgAdminSteps({ project, sites }: { readonly project: Project; readonly sites: readonly AnySite[] }): readonly Step[] {
  const [first] = sites;
  const href = first === undefined ? "/sites" : `/sites/${first.name}`;
  const isApproved = sites.some(({ registered }) => registered?.state === "approved");
  return [
    {
      title: "Add your site",
      about: "What it is called, what it can do, and what the project asks.",
      verb: "Add a site",
      href: "/sites?new",
      isDone: sites.length > 0,
    },
    {
      title: "Get it approved",
      about: "The project admin looks at it. Nothing to do for you meanwhile.",
      verb: "To the site",
      href,
      isDone: isApproved,
    },
    {
      title: "Get its certificate",
      about:
        project.state === "draft"
          ? "You can upload a certificate request already; it is answered once the project is frozen."
          : "Upload a certificate request, or have a kit made.",
      verb: "To the site",
      href,
      isDone: sites.some(({ registered }) => registered?.kit?.condition === "good"),
    },
    {
      title: "Start the site",
      about: "On the machine where its data is, with its kit.",
      verb: "To the site",
      href,
      isDone: sites.some(({ working }) => working !== undefined),
    },
  ];
}
