import { getProject, listPeople, listSites, type Profile } from "@flare-ts/dashboard-api/contract";
import { Button, Loader } from "@mantine/core";
import { IconMapOff } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { useApiQuery } from "../api/use-api-query.js";
import { forgetAnswers, PersonProvider } from "../api/use-session.js";
import { EmptyState } from "../components/empty-state.js";
import { PageBoundary } from "../components/page-boundary.js";
import { PageHeader } from "../components/page-header.js";
import { Section } from "../components/section.js";
import { useFederation } from "../live/use-federation.js";
import { useLive } from "../live/use-live.js";
import { Shell } from "../shell/shell.js";
import { OverviewPage } from "./overview/overview-page.js";

// Every area is a file of its own: what nobody opens is not loaded.
const AuditPage = lazy(async () => ({ default: (await import("./audit/audit-page.js")).AuditPage }));
const InvitationsPage = lazy(async () => ({ default: (await import("./people/invitations-page.js")).InvitationsPage }));
const JobPage = lazy(async () => ({ default: (await import("./jobs/job-page.js")).JobPage }));
const JobsPage = lazy(async () => ({ default: (await import("./jobs/jobs-page.js")).JobsPage }));
const KitsPage = lazy(async () => ({ default: (await import("./kits/kits-page.js")).KitsPage }));
const PeoplePage = lazy(async () => ({ default: (await import("./people/people-page.js")).PeoplePage }));
const ProfilePage = lazy(async () => ({ default: (await import("./profile/profile-page.js")).ProfilePage }));
const ProjectPage = lazy(async () => ({ default: (await import("./project/project-page.js")).ProjectPage }));
const SitePage = lazy(async () => ({ default: (await import("./sites/site-page.js")).SitePage }));
const SitesPage = lazy(async () => ({ default: (await import("./sites/sites-page.js")).SitesPage }));

/** All pages for those who are let in; anew for each person and role. */
export function SignedInPages({ person }: { readonly person: Profile }) {
  const client = useQueryClient();
  // Before anything below asks: another window may have signed somebody else in, to whom the answers that are kept are not due.
  useState(() => forgetAnswers(client));
  return (
    <PersonProvider value={person}>
      <LivePages person={person} />
    </PersonProvider>
  );
}

function LivePages({ person }: { readonly person: Profile }) {
  const live = useLive();
  const [location] = useLocation();
  const isAdmin = person.role === "project_admin";
  const project = useApiQuery(getProject, {});
  const people = useApiQuery(listPeople, {}, { isEnabled: isAdmin });
  const sites = useApiQuery(listSites, {}, { isEnabled: isAdmin });
  const federation = useFederation();
  const known = project.data?.isElsewhere === true ? federation.data?.server?.project : project.data?.title || project.data?.name;
  const waiting = {
    "/people": (people.data?.people ?? []).filter(({ state }) => state === "pending").length,
    "/sites": (sites.data?.sites ?? []).filter(({ state }) => state === "pending").length,
  };
  return (
    <Shell person={person} project={known || "New project"} live={live} waiting={waiting}>
      <PageBoundary key={location}>
        <Suspense fallback={<Loader type="dots" aria-label="Loading" />}>
          <Switch>
            <Route path="/" component={OverviewPage} />
            <Route path="/sign-in" component={OverviewPage} />
            <Route path="/jobs" component={JobsPage} />
            <Route path="/jobs/:id">{({ id }) => <JobPage key={id} id={id} />}</Route>
            <Route path="/sites" component={SitesPage} />
            <Route path="/sites/:name">{({ name }) => <SitePage key={name} name={name} />}</Route>
            <Route path="/kits" component={KitsPage} />
            <Route path="/people" component={PeoplePage} />
            <Route path="/invitations" component={InvitationsPage} />
            <Route path="/project" component={ProjectPage} />
            <Route path="/audit" component={AuditPage} />
            <Route path="/profile" component={ProfilePage} />
            <Route>
              <PageHeader title="There is no such page" />
              <Section>
                <EmptyState
                  icon={<IconMapOff size={24} />}
                  title="Nothing is at this address"
                  action={
                    <Button component={Link} href="/">
                      To the overview
                    </Button>
                  }
                >
                  The address may be old, or have a mistake in it.
                </EmptyState>
              </Section>
            </Route>
          </Switch>
        </Suspense>
      </PageBoundary>
    </Shell>
  );
}
