/** The two kinds of long-running processes. */
export type ServiceKind = "server" | "client";

/** What a person calls it. */
export function serviceWord(kind: ServiceKind): string {
  return kind === "server" ? "server" : "site";
}
