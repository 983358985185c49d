const prefix = "issuer:";

/** What stands in the unstructuredName of an intermediate that may issue certain kinds of participants only. */
export function issuerRole(mayIssue: readonly string[]): string {
  return `${prefix}${mayIssue.join(",")}`;
}

/** The kinds that such a text names, `admin` for every role of admins; `undefined` for the role of a participant. */
export function issuableBy(role: string): readonly string[] | undefined {
  return role.startsWith(prefix) ? role.slice(prefix.length).split(",") : undefined;
}
