import type { AuthorizationPolicy } from "./authorization-policy.js";

/** The policy that a kit starts with: FLARE's default. */
export const defaultAuthorizationPolicy: AuthorizationPolicy = Object.freeze({
  format_version: "1.0",
  permissions: {
    project_admin: "any",
    org_admin: {
      submit_job: "none",
      clone_job: "none",
      manage_job: "o:submitter",
      download_job: "o:submitter",
      view: "any",
      operate: "o:site",
      shell_commands: "o:site",
      byoc: "none",
      "server-predeployed-flwr": "none",
    },
    lead: {
      submit_job: "any",
      clone_job: "n:submitter",
      manage_job: "n:submitter",
      download_job: "n:submitter",
      view: "any",
      operate: "o:site",
      shell_commands: "o:site",
      byoc: "any",
      "server-predeployed-flwr": "none",
    },
    member: { view: "any" },
  },
});
