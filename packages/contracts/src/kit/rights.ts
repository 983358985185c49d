/** Commands by the category that a policy can name in their stead. */
export const rightsByCategory = Object.freeze({
  manage_job: ["abort", "abort_job", "delete_job", "delete_workspace", "configure_job_log"],
  view: ["check_status", "show_scopes", "show_stats", "reset_errors", "show_errors", "list_jobs", "get_job_meta"],
  operate: [
    "sys_info",
    "report_resources",
    "report_env",
    "restart",
    "shutdown",
    "remove_client",
    "disable_client",
    "enable_client",
    "set_timeout",
    "call",
    "configure_site_log",
  ],
  shell_commands: ["cat", "grep", "head", "ls", "pwd", "tail"],
  download_job: ["download_job"],
} as const satisfies Record<string, readonly string[]>);

/** A name that a policy can give to several commands at once. */
export type RightCategory = keyof typeof rightsByCategory;

/** Rights that belong to no category. */
export const standaloneRights = [
  "submit_job",
  "clone_job",
  "byoc",
  "server-predeployed-flwr",
  "update_trust",
  "list_renewals",
  "complete_renewal",
  "decline_renewal",
] as const;

/** A command or ability that a policy decides on. */
export type Right = (typeof rightsByCategory)[RightCategory][number] | (typeof standaloneRights)[number];

/** Names that may stand at a role in a policy: rights, categories and `*` for all. */
export const policyRightNames: readonly string[] = Object.freeze([
  ...Object.keys(rightsByCategory),
  ...Object.values(rightsByCategory).flat(),
  ...standaloneRights,
  "*",
]);

/** The category of a right, `undefined` for one that stands alone. */
export function categoryOf(right: Right): RightCategory | undefined {
  for (const [category, rights] of Object.entries(rightsByCategory)) {
    if ((rights as readonly string[]).includes(right)) return category as RightCategory;
  }
  return undefined;
}
