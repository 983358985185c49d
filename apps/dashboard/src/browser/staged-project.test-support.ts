import {
  type ApiClient,
  createApiClient,
  createKitLink,
  createSite,
  decideSite,
  freezeProject,
  getSession,
  invite,
  issueServerKit,
  issueSiteKit,
  listPeople,
  type Person,
  revokeInvitation,
  signUp,
  updatePerson,
  updateProject,
} from "@flare-ts/dashboard-api/contract";
import type { Browser, BrowserContext } from "playwright-core";
import { openPage, type WatchedPage } from "./chromium.test-support.js";
import { goodPassword, type PageDashboard } from "./test-dashboard.test-support.js";

/** A person with a browser of their own, who is signed in there. */
export interface StagedPerson extends WatchedPage {
  readonly api: ApiClient;
}

/** A project in full swing, and people of each role in it. */
export interface StagedProject {
  readonly orgAdmin: StagedPerson;
  readonly lead: StagedPerson;
  readonly member: StagedPerson;
  /** Signed up, and waits. */
  readonly newcomer: StagedPerson;
  /** Links that still work, by what they are for. */
  readonly links: { readonly signUp: string; readonly kit: string };
}

/** A client that calls as the browser does: with its cookies, from the dashboard's own origin. */
export function clientOf(context: BrowserContext, url: string): ApiClient {
  return createApiClient({
    baseUrl: url,
    fetch: async (input, init) => {
      const answer = await context.request.fetch(input instanceof Request ? input.url : input.toString(), {
        method: init?.method ?? "GET",
        headers: { ...(init?.headers as Record<string, string>), origin: url },
        maxRedirects: 0,
        ...(typeof init?.body === "string" ? { data: init.body } : {}),
      });
      const body = answer.status() === 204 ? null : new Uint8Array(await answer.body());
      // One by one: several cookies may be set at once.
      const headers = answer.headersArray().map(({ name, value }): [string, string] => [name, value]);
      return new Response(body, { status: answer.status(), headers });
    },
  });
}

/** What scrypt makes of the passphrase is the same for every dashboard of a file's tests, and takes as long as all the rest of freezing. */
const sealedOnce = { passphrase: "a passphrase of this test", derivedKeys: new Map<string, Promise<Buffer>>() };

/** Fills a dashboard that was just set up: people, sites in each state, kits, invitations. */
export async function stageProject(browser: Browser, dashboard: PageDashboard, admin: WatchedPage): Promise<StagedProject> {
  const { url } = dashboard.running;
  const ada = clientOf(admin.context, url);
  await ada.call(getSession);
  await ada.call(updateProject, {
    body: {
      name: "breast_study",
      title: "Breast cancer study",
      description: "Segmentation of tumours in mammograms of five hospitals.",
      server: { name: "server.example.org", port: 8002, organization: "university" },
      // Keys on a curve are made a hundred times as fast.
      certificates: { keyType: "p256" },
      siteProperties: [{ key: "patients", label: "Number of patients" }],
    },
  });
  dashboard.running.dashboard.parts.kits.parts.passphrase.set(sealedOnce);
  await ada.call(freezeProject, { body: { passphrase: sealedOnce.passphrase } });
  const join = async (
    name: string,
    email: string,
    organization: string,
    role: Person["role"],
    isApproved = true,
  ): Promise<StagedPerson> => {
    const { link } = await ada.call(invite, { body: { email, organization, role, delivery: "link" } });
    const watched = await openPage(browser, url);
    const api = clientOf(watched.context, url);
    await api.call(signUp, { body: { token: new URL(link ?? "").hash.slice(1), name, password: goodPassword } });
    await api.call(getSession);
    if (isApproved) {
      const { people } = await ada.call(listPeople);
      const id = people.find((person) => person.email === email)?.id ?? "";
      await ada.call(updatePerson, { params: { id }, body: { decision: "approve" } });
    }
    return { ...watched, api };
  };
  const orgAdmin = await join("Bo Keller", "bo@north.org", "north", "org_admin");
  const lead = await join("Dan Okafor", "dan@university.org", "university", "lead");
  const member = await join("Mia Santos", "mia@university.org", "university", "member");
  const newcomer = await join("Noor Haddad", "noor@lake.org", "lake", "org_admin", false);

  const add = async (name: string, by: ApiClient, organization: string): Promise<string> => {
    const properties: Record<string, string> = name === "new-wing" ? {} : { patients: "4200" };
    const body = { name, organization, description: "Radiology, second floor", capacity: { gpus: 2, memPerGpuGiB: 24 }, properties };
    return (await by.call(createSite, { body })).id;
  };
  const approve = (id: string): Promise<unknown> => ada.call(decideSite, { params: { id }, body: { decision: "approve" } });
  for (const [name, organization] of [
    ["riverside", "north"],
    ["northern-general", "north"],
    ["university-hospital", "university"],
  ] as const) {
    const by = organization === "north" ? orgAdmin.api : ada;
    const id = await add(name, by, organization);
    await approve(id);
    await by.call(issueSiteKit, { params: { id } });
  }
  await approve(await add("lakeside", ada, "lake"));
  await add("new-wing", orgAdmin.api, "north");
  const refused = await add("old-wing", orgAdmin.api, "north");
  await ada.call(decideSite, { params: { id: refused }, body: { decision: "reject" } });

  const { kit } = await ada.call(issueServerKit);
  const kitLink = await ada.call(createKitLink, { params: { id: kit.id }, body: {} });
  const open = await ada.call(invite, { body: { email: "eve@alps.org", organization: "alps", role: "org_admin", delivery: "link" } });
  const taken = await ada.call(invite, { body: { organization: "lake", role: "member", delivery: "link" } });
  await ada.call(revokeInvitation, { params: { id: taken.invitation.id } });
  return { orgAdmin, lead, member, newcomer, links: { signUp: open.link ?? "", kit: kitLink.link } };
}
