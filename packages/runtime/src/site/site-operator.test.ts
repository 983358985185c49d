import { randomUUID } from "node:crypto";
import { FlareError, type Json } from "@flare-ts/contracts";
import type { SignedCommand, SiteMessage } from "@flare-ts/contracts/wire";
import { beforeEach, describe, expect, it } from "vitest";
import { type CommandVerb, signCommand } from "../admin/signed-command.js";
import type { AuditEntry } from "../logging/audit-log.js";
import { lineLogger } from "../logging/line-logger.js";
import type { OwnCommand } from "../operate/own-process.js";
import type { ProjectKeys } from "../session/project-keys.js";
import { TestProject } from "../session/test-project.test-support.js";
import { SiteOperator } from "./site-operator.js";

const project = new TestProject("p");
const admin = project.issue({ name: "ann@a.org", role: "org_admin" });

let done: (OwnCommand | "drain")[];
let audited: AuditEntry[];
let heard: { readonly stage: string; readonly code: string | undefined }[];
let isAllowed: boolean;
let cannot: FlareError | undefined;
let trust: ReturnType<TestProject["trust"]>;
let operator: SiteOperator;
let attachment: string;

beforeEach(() => {
  [done, audited, heard, isAllowed, cannot] = [[], [], [], true, undefined];
  trust = project.trust();
  operator = new SiteOperator(
    {
      link: { tell: (message) => heard.push(answerOf(message)) },
      own: {
        check: () => {
          if (cannot !== undefined) throw cannot;
        },
        perform: async (command) => {
          done.push(command);
          return {};
        },
      },
      drain: async () => {
        done.push("drain");
        throw new Error("a job that hangs");
      },
      audit: { write: (entry) => audited.push(entry) },
      logger: lineLogger(undefined),
      now: Date.now,
      isAllowed: () => isAllowed,
    },
    { site: "site-1", trust },
  );
  attachment = operator.attach();
});

interface SignInit {
  readonly verb?: CommandVerb;
  readonly sites?: Readonly<Record<string, string>>;
  readonly keys?: ProjectKeys;
  readonly project?: string;
  readonly more?: Readonly<Record<string, Json>>;
}

function sign(init: SignInit = {}): SignedCommand {
  const { verb = "shutdown", sites = { "site-1": attachment }, keys = admin, project: named = "p", more = {} } = init;
  const { certificatePem, privateKeyPem } = keys;
  const args = { sites, timeout_ms: 1_000, ...more };
  return signCommand({ verb, args, project: named, sessionId: randomUUID(), certificatePem, privateKeyPem, nowMs: Date.now() });
}

async function tell(command: SignedCommand): Promise<void> {
  await operator.hear({ $typeName: "flare.v1.SiteCommand", id: "1", command });
}

describe("a command of an admin, at a site", () => {
  it("is carried out when the admin's signature and the site's policy are good: it stops its jobs, then ends, and says both", async () => {
    await tell(sign());
    expect(done).toEqual(["drain", { verb: "shutdown", by: "ann@a.org", level: undefined }]);
    expect(heard.map(({ stage }) => stage)).toEqual(["accepted", "done"]);
    expect(audited).toEqual([{ who: "ann@a.org", action: "shutdown", outcome: "allowed" }]);
  });

  it("may be signed below an authority of the project's", async () => {
    const keys = project.issue({ name: "bob@a.org", role: "lead" }, project.intermediate({ name: "i", role: "issuer:admin" }));
    await tell(sign({ verb: "report_resources", keys }));
    expect(done).toMatchObject([{ verb: "report_resources", by: "bob@a.org" }]);
  });

  it("is good once", async () => {
    const command = sign({ verb: "report_resources" });
    await tell(command);
    await tell(command);
    expect(done).toHaveLength(1);
    expect(heard.at(-1)).toEqual({ stage: "refused", code: "auth/command-invalid" });
  });

  it("is good for one attachment", async () => {
    const command = sign();
    operator.attach();
    await tell(command);
    expect(done).toEqual([]);
  });

  it.each<[string, () => SignedCommand, string]>([
    ["is for another site", () => sign({ sites: { "site-2": attachment } }), "auth/command-invalid"],
    ["names no site", () => sign({ sites: {} }), "auth/command-invalid"],
    ["names no attachment", () => sign({ sites: { "site-1": "" } }), "auth/command-invalid"],
    ["is none for a site", () => sign({ verb: "disable_client" }), "auth/command-invalid"],
    ["has an argument too many", () => sign({ more: { path: "/etc" } }), "auth/command-invalid"],
    ["is of another project", () => sign({ project: "q" }), "auth/command-invalid"],
    ["is signed by a site", () => sign({ keys: project.issue({ name: "site-2" }) }), "auth/command-invalid"],
    ["is signed by the server", () => sign({ keys: project.server() }), "auth/certificate-usage"],
    [
      "is signed below another root",
      () => sign({ keys: new TestProject("p").issue({ name: "ann@a.org", role: "lead" }) }),
      "auth/certificate-untrusted",
    ],
    [
      "has another's certificate",
      () => ({ ...sign({ keys: project.issue({ name: "eve@a.org", role: "member" }) }), certificate: admin.certificatePem }),
      "auth/command-invalid",
    ],
    ["was changed on its way", () => changed(sign({ verb: "configure_site_log", more: { level: "error" } })), "auth/command-invalid"],
  ])("is refused when it %s", async (_what, command, code) => {
    await tell(command());
    expect(done).toEqual([]);
    expect(heard).toEqual([{ stage: "refused", code }]);
    expect(audited).toMatchObject([{ outcome: "refused", code }]);
  });

  it("is refused once the admin is revoked", async () => {
    const command = sign();
    const revoked = [
      { name: "ann@a.org", serials: [admin.certificate.serialNumber], revoked_at_ms: Date.now(), reason: "keyCompromise" as const },
    ];
    trust.accept(project.trustList({ number: 1, revoked }));
    await tell(command);
    expect(heard).toEqual([{ stage: "refused", code: "auth/certificate-revoked" }]);
  });

  it("is refused by the site's own policy, whatever the server let pass, and where it cannot be done", async () => {
    isAllowed = false;
    await tell(sign());
    isAllowed = true;
    cannot = new FlareError("runtime/not-watched", "no");
    await tell(sign({ verb: "restart" }));
    expect(done).toEqual([]);
    expect(heard.map(({ code }) => code)).toEqual(["auth/not-authorized", "runtime/not-watched"]);
  });
});

function changed(command: SignedCommand): SignedCommand {
  const text = Buffer.from(command.commandJson).toString();
  return { ...command, commandJson: Buffer.from(text.replace('"level":"error"', '"level":"debug"')) };
}

function answerOf(message: SiteMessage["message"]): { readonly stage: string; readonly code: string | undefined } {
  if (message.case !== "commandAnswer") throw new TypeError(`the site said ${message.case ?? "nothing"}`);
  const { stage, errorJson } = message.value;
  return { stage, code: errorJson === "" ? undefined : (JSON.parse(errorJson) as { readonly code: string }).code };
}
