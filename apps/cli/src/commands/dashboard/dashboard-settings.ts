import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { FlareError, readDocument } from "@flare-ts/contracts";
import type { StartDashboardInit } from "@flare-ts/dashboard-api";
import { z } from "zod";
import { caPassphrase } from "../../ca-key/ca-passphrase.js";
import { allowsClear } from "../../command-line/allows-clear.js";
import type { CommandContext } from "../../command-line/command-context.js";
import { given } from "../../command-line/given.js";
import { findPage } from "./find-page.js";

/** What `flare dashboard start` is given. */
export interface StartDashboardOptions {
  readonly port: number;
  readonly host: string;
  readonly data: string;
  readonly kit: string | undefined;
  readonly page: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Addresses with commas between. */
  readonly behindProxy: string | undefined;
  readonly publicUrl: string | undefined;
  readonly isClear: boolean;
  readonly caPassphraseFile: string | undefined;
  readonly oidcFile: string | undefined;
  readonly isClearAllowed: boolean;
}

const oidcSchema = z.array(
  z.strictObject({
    id: z.string().regex(/^[A-Za-z0-9_-]{1,63}$/, "may hold letters, digits, - and _ only"),
    title: z.string().min(1, "must not be empty"),
    issuer: z.url("must be an address"),
    clientId: z.string().min(1, "must not be empty"),
    clientSecret: z.string().optional(),
    domains: z.array(z.string()).optional(),
    believesUnverified: z.boolean().optional(),
  }),
);

/**
 * Puts together what the dashboard is started with: options first, then the environment, then defaults.
 *
 * @throws FlareError `cli/invalid-arguments`, `file/not-found`, `dashboard/invalid-settings`
 */
export async function dashboardSettings(context: CommandContext, options: StartDashboardOptions): Promise<StartDashboardInit> {
  const { env, cwd } = context;
  const at = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(cwd, path));
  const smtpUrl = given(env["FLARE_SMTP_URL"]);
  return {
    dataFolder: resolve(cwd, options.data),
    host: options.host,
    port: options.port,
    security: securityOf(options, at),
    publicUrl: options.publicUrl ?? given(env["FLARE_PUBLIC_URL"]),
    databaseUrl: given(env["DATABASE_URL"]),
    adminKit: at(options.kit),
    pageFolder: at(options.page) ?? findPage(),
    caPassphrase: await passphraseOf(context, options.caPassphraseFile),
    isClearAllowed: options.isClearAllowed || allowsClear(context),
    metricsToken: given(env["FLARE_METRICS_TOKEN"]),
    ...(smtpUrl === undefined ? {} : { smtp: { url: smtpUrl, from: senderOf(env["FLARE_MAIL_FROM"]) } }),
    oidcProviders: await providersOf(at(options.oidcFile ?? given(env["FLARE_OIDC_FILE"]))),
  };
}

function securityOf(
  { cert, key, behindProxy, isClear }: StartDashboardOptions,
  at: (path: string) => string | undefined,
): NonNullable<StartDashboardInit["security"]> {
  if ((cert === undefined) !== (key === undefined)) throw new FlareError("cli/invalid-arguments", "--cert and --key belong together.");
  if (cert !== undefined && key !== undefined) return { kind: "given", certificateFile: at(cert) ?? cert, keyFile: at(key) ?? key };
  if (behindProxy !== undefined) {
    const trustedProxies = behindProxy.split(",").flatMap((address) => (address.trim() === "" ? [] : [address.trim()]));
    return { kind: "proxy", trustedProxies };
  }
  return isClear ? { kind: "clear" } : { kind: "own" };
}

/** Nobody is asked: without a passphrase the CA is unlocked on the page. */
async function passphraseOf(context: CommandContext, file: string | undefined): Promise<string | undefined> {
  const isGiven = file !== undefined || given(context.env["FLARE_CA_PASSPHRASE"]) !== undefined;
  return isGiven ? caPassphrase(context, { file, isNew: false }) : undefined;
}

function senderOf(from: string | undefined): string {
  const sender = given(from);
  if (sender === undefined)
    throw new FlareError("dashboard/invalid-settings", "With FLARE_SMTP_URL the sender has to be set in FLARE_MAIL_FROM.");
  return sender;
}

async function providersOf(file: string | undefined): Promise<NonNullable<StartDashboardInit["oidcProviders"]>> {
  if (file === undefined) return [];
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new FlareError("file/not-found", `Cannot read ${file}.`, { cause, facts: { file } });
  });
  return readDocument({ text, file, schema: oidcSchema, code: "dashboard/invalid-settings" }).value;
}
