import type { Profile } from "@flare-ts/dashboard-api/contract";
import { Route, Switch } from "wouter";
import { PersonProvider } from "../api/use-session.js";
import { PageHeader } from "../components/page-header.js";
import { Shell } from "../shell/shell.js";
import { AuditPage } from "./audit/audit-page.js";
import { InvitationsPage } from "./people/invitations-page.js";
import { PeoplePage } from "./people/people-page.js";
import { ProfilePage } from "./profile/profile-page.js";

/** All pages for those who are let in. */
export function SignedInPages({ person }: { readonly person: Profile }) {
  return (
    <PersonProvider value={person}>
      <Shell person={person} project="" live="live" waiting={{}}>
        <Switch>
          <Route path="/people" component={PeoplePage} />
          <Route path="/invitations" component={InvitationsPage} />
          <Route path="/audit" component={AuditPage} />
          <Route path="/profile" component={ProfilePage} />
          <Route>
            <PageHeader title="There is no such page" />
          </Route>
        </Switch>
      </Shell>
    </PersonProvider>
  );
}
