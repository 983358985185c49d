/** Commands that a process carries out on itself: the server, or a site to which the server passes them on. */
export const processVerbs = ["shutdown", "restart", "report_resources", "configure_site_log"] as const;
export type ProcessVerb = (typeof processVerbs)[number];

/** Commands about participants: each participant that one names is decided on, and written to the audit log, by itself. */
export const operationVerbs = [...processVerbs, "disable_client", "enable_client"] as const;
export type OperationVerb = (typeof operationVerbs)[number];

export function isOperationVerb(verb: string): verb is OperationVerb {
  return (operationVerbs as readonly string[]).includes(verb);
}

export function isProcessVerb(verb: string): verb is ProcessVerb {
  return (processVerbs as readonly string[]).includes(verb);
}
