import { implementAudit } from "./audit/implement-audit.js";
import type { DashboardParts } from "./dashboard-parts.js";
import { implementFederation } from "./federation/implement-federation.js";
import { implementJobReports } from "./federation/implement-job-reports.js";
import { implementJobs } from "./federation/implement-jobs.js";
import type { Implementation } from "./http/implement.js";
import { implementKits } from "./kits/implement-kits.js";
import { implementMyKit } from "./kits/implement-my-kit.js";
import { implementRenewals } from "./kits/implement-renewals.js";
import { implementSiteKits } from "./kits/implement-site-kits.js";
import { implementOidc } from "./oidc/implement-oidc.js";
import { implementInvitations } from "./people/implement-invitations.js";
import { implementMe } from "./people/implement-me.js";
import { implementPasswordReset } from "./people/implement-password-reset.js";
import { implementPeople } from "./people/implement-people.js";
import { implementSession } from "./people/implement-session.js";
import { implementSetUp } from "./people/implement-set-up.js";
import { implementSignUp } from "./people/implement-sign-up.js";
import { implementProject } from "./project/implement-project.js";
import { implementSites } from "./project/implement-sites.js";

/** All areas of the API; each gives handlers for its routes of the table. */
export const areas: readonly ((parts: DashboardParts) => readonly Implementation[])[] = [
  implementSession,
  implementProject,
  implementSites,
  implementSiteKits,
  implementKits,
  implementMyKit,
  implementRenewals,
  implementSetUp,
  implementPasswordReset,
  implementOidc,
  implementMe,
  implementPeople,
  implementInvitations,
  implementSignUp,
  implementAudit,
  implementFederation,
  implementJobs,
  implementJobReports,
];
