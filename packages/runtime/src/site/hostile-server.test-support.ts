import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { defaultStudy } from "@flare-ts/contracts";
import { type ServerMessage, ServerMessageSchema, type SiteMessage } from "@flare-ts/contracts/wire";
import { TrustKeeper } from "@flare-ts/provision/kit";
import { vi } from "vitest";
import { readJobFolder } from "../job/read-job-folder.js";
import { createSignedJob } from "../job/signed-job.js";
import { adminName, type SmallFederation } from "../process/small-federation.test-support.js";
import { Authenticator } from "../session/authenticator.js";
import { readProjectKeys } from "../session/project-keys.js";
import { FileModelStore } from "../store/file-model-store.js";
import { TransferServer } from "../transfer/transfer-server.js";
import type { ServerHandlers } from "../transport/connection.js";
import { GrpcServerTransport } from "../transport/grpc-server-transport.js";
import { objectToWire } from "../transport/wire-values.js";

/** A server with the project's own kit that tells its sites whatever a test wants, and knows no rules. */
export class HostileServer {
  readonly models: FileModelStore;
  /** Everything that sites said. */
  readonly heard: SiteMessage["message"][] = [];
  /** Attachments so far. */
  attached = 0;
  readonly #federation: SmallFederation;
  #transport: GrpcServerTransport | undefined;
  #send: ((message: ServerMessage) => Promise<void>) | undefined;

  private constructor(federation: SmallFederation, models: FileModelStore) {
    this.#federation = federation;
    this.models = models;
  }

  static async start(federation: SmallFederation): Promise<HostileServer> {
    const server = new HostileServer(federation, await FileModelStore.open({ root: `${federation.folder}/evil` }));
    await server.#listen();
    return server;
  }

  async stop(): Promise<void> {
    await this.#transport?.stop(1_000);
  }

  async tell(message: ServerMessage["message"]): Promise<void> {
    await this.#send?.(create(ServerMessageSchema, { message }));
  }

  /** Signs a job as an admin, and tells the site to run it. */
  async deploy(init: { app?: string; size?: bigint; submitter?: string; study?: string }): Promise<string> {
    const { app = "app", size, submitter = adminName, study = defaultStudy } = init;
    this.heard.length = 0;
    const jobId = randomUUID();
    const kit = await this.#federation.kit(submitter);
    const folder = await readJobFolder(await this.#federation.writeJob(["site-1"]));
    for (const file of folder.files) await this.models.importFile(file.absolutePath);
    const bytes = createSignedJob({ folder, jobId, project: kit.project, study, submitter: kit, nowMs: Date.now() });
    const signedJob = objectToWire(await this.models.importBytes(bytes));
    await this.tell({
      case: "deploy",
      value: { jobId, app, signedJob: size === undefined ? signedJob : { ...signedJob, size }, $typeName: "flare.v1.DeployJob" },
    });
    return jobId;
  }

  /** What the site says of why it leaves a job. */
  async leaving(): Promise<unknown> {
    return JSON.parse((await this.expectHeard("jobLeft")).errorJson) as unknown;
  }

  /** Waits for a message that reports an error, or the want of one. */
  async expectHeard(kind: "jobLeft" | "taskFailed" | "trustState"): Promise<{ readonly errorJson: string }> {
    const find = (): { readonly errorJson: string } | undefined =>
      this.heard.flatMap((message) => (message.case === kind ? [message.value as { readonly errorJson: string }] : [])).at(0);
    return await vi.waitFor(
      () => {
        const found = find();
        if (found === undefined) throw new Error(`the site said nothing of the kind ${kind}`);
        return found;
      },
      { timeout: 20_000 },
    );
  }

  async #listen(): Promise<void> {
    const kit = await this.#federation.kit("localhost");
    const keys = readProjectKeys(kit, (await TrustKeeper.open(kit)).trust);
    const transfer = new TransferServer({
      store: this.models,
      guard: { mayRead: () => Promise.resolve(true), mayWrite: () => Promise.resolve(true) },
    });
    const unused = (): never => {
      throw new TypeError("no site makes this call");
    };
    const handlers: ServerHandlers = {
      attach: (_context, send) => {
        this.#send = send;
        return {
          onMessage: ({ message }) => {
            this.heard.push(message);
            if (message.case !== "hello") return;
            this.attached += 1;
            void this.tell({ case: "heartbeat", value: { sentAtMs: 0n, $typeName: "flare.v1.Heartbeat" } });
          },
          onClose: () => undefined,
        };
      },
      stat: (context, object, base) => transfer.stat(context, object, base),
      upload: (context, object, chunks) => transfer.upload(context, object, chunks),
      download: (context, object, offset, means) => transfer.download(context, object, offset, means),
      submitUpdate: unused,
      execute: unused,
      watch: unused,
      follow: unused,
      renew: unused,
    };
    const authenticator = new Authenticator({ audit: () => undefined }, { project: kit.project, serverName: kit.name, keys });
    this.#transport = new GrpcServerTransport({ handlers, authenticator }, { host: "127.0.0.1", port: kit.endpoint.port, keys });
    await this.#transport.start();
  }
}
