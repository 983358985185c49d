import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FlareError } from "@flare-ts/contracts";
import { freePort } from "@flare-ts/runtime";
import { type AdminSession, connectAdmin } from "@flare-ts/runtime/admin";
import { FaultProxy } from "../proxy/fault-proxy.js";
import { ShimControl } from "../shim/shim-control.js";
import { type ChaosKits, copyKit } from "./chaos-kits.js";
import { mountSmallDisk, type SmallDisk } from "./small-disk.js";
import { type FlareCommand, SupervisedService } from "./supervised-service.js";

export interface ChaosFederationInit {
  readonly kits: ChaosKits;
  /** Folder for everything; made. */
  readonly folder: string;
  readonly command: FlareCommand;
  readonly random: () => number;
}

/** A server or a site with what is needed to make it suffer. */
export interface ChaosParticipant {
  readonly service: SupervisedService;
  /** Folder that holds its kit, on a disk of its own where one can be mounted. */
  readonly place: string;
  readonly disk: SmallDisk | undefined;
  readonly shim: ShimControl;
}

const diskBytes = 256 * 1024 * 1024;
const readyMs = 60_000;
const askMs = 50;
/** A process that ends so often before anything was done to it will never be ready. */
const maxStarts = 3;

/** A federation from copies of kits, in processes of its own, with a proxy between the sites and the server. */
export class ChaosFederation {
  readonly folder: string;
  readonly server: ChaosParticipant;
  readonly sites: ReadonlyMap<string, ChaosParticipant>;
  readonly proxy: FaultProxy;
  readonly command: FlareCommand;
  /** Port of the server behind the proxy. */
  readonly port: number;
  readonly #adminKit: string;

  private constructor(
    init: Pick<ChaosFederation, "folder" | "server" | "sites" | "proxy" | "command" | "port"> & { readonly adminKit: string },
  ) {
    this.folder = init.folder;
    this.server = init.server;
    this.sites = init.sites;
    this.proxy = init.proxy;
    this.command = init.command;
    this.port = init.port;
    this.#adminKit = init.adminKit;
  }

  /** Copies the kits and opens the proxy; nothing else runs yet. @throws FlareError `transfer/cannot-listen` */
  static async create({ kits, folder, command, random }: ChaosFederationInit): Promise<ChaosFederation> {
    const temporary = join(folder, "tmp");
    await mkdir(temporary, { recursive: true, mode: 0o700 });
    const port = await freePort();
    const proxy = await FaultProxy.listen({ port: kits.port, target: () => ({ host: "127.0.0.1", port }), random });
    const disks: SmallDisk[] = [];
    const participant = async (kind: "server" | "client", name: string, from: string): Promise<ChaosParticipant> => {
      const place = join(folder, name);
      await mkdir(place, { recursive: true, mode: 0o700 });
      const disk = await mountSmallDisk(place, diskBytes);
      if (disk !== undefined) disks.push(disk);
      const kit = join(place, "kit");
      await mkdir(kit, { recursive: true });
      await chmod(kit, 0o700);
      await copyKit(from, kit);
      const shim = new ShimControl(join(folder, `${name}.orders.json`));
      const service = new SupervisedService({
        name,
        kind,
        kit,
        command,
        args: kind === "server" ? ["--host", "127.0.0.1", "--port", String(port)] : [],
        environment: { ...shim.environment(), TMPDIR: temporary, NO_COLOR: "1" },
        logFile: join(folder, `${name}.out.txt`),
      });
      return { service, place, disk, shim };
    };
    try {
      const adminKit = join(folder, "admin");
      await copyKit(kits.adminKit, adminKit);
      const server = await participant("server", kits.server.name, kits.server.kit);
      const sites = new Map<string, ChaosParticipant>();
      for (const { name, kit } of kits.sites) sites.set(name, await participant("client", name, kit));
      return new ChaosFederation({ folder, server, sites, proxy, command, port, adminKit });
    } catch (error) {
      await proxy.stop();
      for (const disk of disks) await disk.remove();
      throw error;
    }
  }

  /** Everyone, server first. */
  get participants(): readonly ChaosParticipant[] {
    return [this.server, ...this.sites.values()];
  }

  /** Starts all, and resolves when the sites are connected. @throws FlareError `poc/start-timeout` */
  async start(signal: AbortSignal): Promise<void> {
    for (const { service } of this.participants) service.start();
    await this.ready(signal, ({ starts }) => starts > maxStarts);
  }

  /**
   * Resolves when the sites are connected.
   *
   * @param isDying - whether one that is not ready need not be waited for
   * @throws FlareError `poc/start-timeout`
   */
  async ready(signal: AbortSignal, isDying: (service: SupervisedService) => boolean = () => false): Promise<void> {
    const deadline = performance.now() + readyMs;
    for (;;) {
      const missing = this.participants.map(({ service }) => service).filter(({ isReady }) => !isReady);
      if (missing.length === 0) return;
      const dying = missing.find(isDying);
      if (dying !== undefined || performance.now() > deadline) {
        const names = missing.map(({ name }) => name);
        const [first] = dying === undefined ? missing : [dying];
        throw new FlareError("poc/start-timeout", `Not ready: ${names.join(", ")}. The last words of ${first?.name}:`, {
          problems: (await first?.lastLines())?.map((message) => ({ message })) ?? [],
          facts: { missing: names },
        });
      }
      await sleep(askMs, undefined, { signal });
    }
  }

  /** Connects as the admin, through the proxy like everybody else. */
  async admin(signal?: AbortSignal): Promise<AdminSession> {
    return await connectAdmin({ kitDir: this.#adminKit, signal });
  }

  /** Stops the sites, then the server; names those that had to be killed. What they have written stays. */
  async stop(): Promise<readonly string[]> {
    const outcomes = [
      ...(await Promise.all([...this.sites.values()].map(async ({ service }) => ({ name: service.name, how: await service.stop() })))),
      { name: this.server.service.name, how: await this.server.service.stop() },
    ];
    return outcomes.filter(({ how }) => how === "killed").map(({ name }) => name);
  }

  /** Closes the proxy and gives the disks back. */
  async remove(): Promise<void> {
    await this.proxy.stop();
    for (const { disk } of this.participants) await disk?.remove();
  }
}
