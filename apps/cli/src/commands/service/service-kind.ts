/** The kinds of long-running processes. */
export type ServiceKind = "server" | "client" | "relay";

/** What a person calls it. */
export function serviceWord(kind: ServiceKind): string {
  return kind === "client" ? "site" : kind;
}
