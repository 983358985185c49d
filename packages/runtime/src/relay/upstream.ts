import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import type { Kit } from "@flare-ts/provision/kit";
import type { ProjectKeys } from "../session/project-keys.js";
import { refuseClearText } from "../transport/connection-security.js";
import { minVersion } from "../transport/flow-control.js";
import type { HttpProxy } from "../transport/proxy/http-proxy.js";
import { type Environment, proxyFromEnvironment } from "../transport/proxy/proxy-from-environment.js";
import { strangerTo } from "../transport/stranger-to.js";

export interface UpstreamComponents {
  /** The relay's keys, which change. */
  readonly keys: ProjectKeys;
  /** Variables that may name a proxy. */
  readonly environment: Environment;
}

export interface UpstreamInit {
  readonly kit: Pick<Kit, "endpoint" | "relay" | "serverIdentity" | "customCaPem">;
  readonly isClearAllowed: boolean;
}

/** How long a connection may take to stand. */
const dialMs = 20_000;

/** What a relay has above it, the server or another relay: each connection from below goes on over one of its own to there. */
export class Upstream {
  readonly #keys: ProjectKeys;
  readonly #init: UpstreamInit;
  readonly #proxy: HttpProxy | undefined;
  #context: SecureContext | undefined;

  /** @throws FlareError `transfer/clear-refused`, `transfer/proxy-invalid`, `transfer/proxy-not-supported` */
  constructor({ keys, environment }: UpstreamComponents, init: UpstreamInit) {
    const { endpoint } = init.kit;
    refuseClearText("dialling", endpoint.host, { security: endpoint.connectionSecurity, isClearAllowed: init.isClearAllowed });
    this.#keys = keys;
    this.#init = init;
    this.#proxy = proxyFromEnvironment(environment, endpoint);
  }

  /** From now on connections are made with the certificate, and by the roots, that are in force by then. */
  renewTls(): void {
    this.#context = undefined;
  }

  /** Opens a connection. An abort destroys it as long as it does not stand. */
  async open(signal: AbortSignal): Promise<Socket> {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(dialMs)]);
    const { endpoint } = this.#init.kit;
    const { host, port } = this.#proxy ?? endpoint;
    const raw = connectTcp({ host, port });
    raw.setNoDelay(true);
    await standing(raw, "connect", limited);
    const way = this.#proxy === undefined ? raw : await throughProxy(raw, this.#proxy, endpoint, limited);
    if (endpoint.connectionSecurity === "clear") return way;
    const socket = this.#secure(way);
    await standing(socket, "secureConnect", limited);
    return socket;
  }

  #secure(socket: Socket): TLSSocket {
    const { endpoint, relay, serverIdentity } = this.#init.kit;
    const { host, connectionSecurity } = endpoint;
    const { trust } = this.#keys;
    const expected =
      relay === undefined ? ({ name: serverIdentity, role: "server" } as const) : ({ name: relay.name, role: "relay" } as const);
    return connectTls({
      socket,
      secureContext: (this.#context ??= this.#contextOf()),
      servername: isIP(host) === 0 ? host : isIP(expected.name) === 0 ? expected.name : "server",
      ALPNProtocols: ["h2"],
      checkServerIdentity: (_name, shown) =>
        checkServerIdentity(host, shown) ?? (connectionSecurity === "mtls" ? strangerTo(expected, shown, trust) : undefined),
    });
  }

  #contextOf(): SecureContext {
    const { certificatePem: cert, privateKeyPem: key, trust } = this.#keys;
    const { endpoint, customCaPem } = this.#init.kit;
    if (endpoint.connectionSecurity === "tls") return createSecureContext({ ca: customCaPem ?? trust.rootBundlePem, minVersion });
    return createSecureContext({ ca: trust.rootBundlePem, cert, key, minVersion });
  }
}

async function throughProxy(raw: Socket, proxy: HttpProxy, target: Kit["endpoint"], signal: AbortSignal): Promise<Socket> {
  // Loaded where there is a proxy: `node:http` takes memory.
  const { openTunnel } = await import("../transport/proxy/open-tunnel.js");
  return await openTunnel(raw, proxy, target, { signal });
}

async function standing(socket: Socket, event: "connect" | "secureConnect", signal: AbortSignal): Promise<void> {
  try {
    await once(socket, event, { signal });
  } catch (error) {
    socket.on("error", () => undefined);
    socket.destroy();
    throw error;
  }
}
