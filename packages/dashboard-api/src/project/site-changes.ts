import { FlareError } from "@flare-ts/contracts";
import type { Database } from "../db/tables.js";
import { isUniqueViolation } from "../db/unique-violation.js";
import { readKitRows } from "../kits/kit-rows.js";
import type { StoredProject } from "./project-store.js";
import type { StoredSite } from "./site-store.js";

/**
 * Makes sure that what a site says of itself is what the project asks for.
 *
 * @throws FlareError `dashboard/invalid-request`
 */
export function checkProperties({ siteProperties }: StoredProject, properties: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(properties)) {
    const property = siteProperties.find((one) => one.key === key);
    if (property === undefined)
      throw mistake(key, `the project asks for ${siteProperties.map((one) => one.key).join(", ") || "no properties"}`);
    if (property.choices !== null && value !== "" && !property.choices.includes(value)) {
      throw mistake(key, `must be one of ${property.choices.join(", ")}`);
    }
  }
}

/**
 * Makes sure that a site's name is not the server's.
 *
 * @throws FlareError `dashboard/conflict`
 */
export function checkSiteName({ server }: StoredProject, name: string): void {
  if (server !== null && server.name.toLowerCase() === name.toLowerCase()) throw taken(name);
}

/**
 * Runs a change that gives a site a name.
 *
 * @throws FlareError `dashboard/conflict` when another site has it
 */
export async function withFreeName<T>(name: string, change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (reason) {
    throw isUniqueViolation(reason) ? taken(name) : reason;
  }
}

/**
 * Makes sure that no certificate says a site's name and organisation yet.
 *
 * @throws FlareError `dashboard/conflict`
 */
export async function refuseIssued(db: Database, site: StoredSite): Promise<void> {
  const rows = await readKitRows(db, { siteId: site.id });
  if (rows.length > 0)
    throw new FlareError("dashboard/conflict", `'${site.name}' has had a kit; its name stands in certificates and stays.`);
}

/**
 * Makes sure that nobody holds a certificate of a site. One that has ended here may have been renewed by the server since, time and again.
 *
 * @throws FlareError `dashboard/conflict`
 */
export async function refuseLive(db: Database, { certificates }: StoredProject, site: StoredSite, nowMs: number): Promise<void> {
  const rows = await readKitRows(db, { siteId: site.id });
  const isRenewed = certificates.renewal === "server";
  if (rows.some((row) => row.revoked_at_ms === null && (isRenewed || row.valid_to_ms > nowMs))) {
    throw new FlareError("dashboard/conflict", `'${site.name}' has a kit that is good; revoke it first.`);
  }
}

function mistake(key: string, message: string): FlareError {
  return new FlareError("dashboard/invalid-request", `The request has mistakes: body.properties.${key}: ${message}.`, {
    problems: [{ path: `body.properties.${key}`, message }],
  });
}

function taken(name: string): FlareError {
  return new FlareError("dashboard/conflict", `The name '${name}' is taken.`);
}
