import { freePort } from "@flare-ts/runtime";
import { documentedConfiguration } from "./documented-configuration.js";
import type { ProxyProgram } from "./lacked-proxies.js";
import type { ProxyIdentity } from "./proxy-identity.test-support.js";
import { type ProxyProcess, startProxy } from "./start-proxy.js";

export interface StartDocumentedInit {
  /** Where it listens, on loopback. */
  readonly port: number;
  /** Where the server, or the next proxy, listens on loopback. */
  readonly upstream: number;
  /** Its certificate, where it ends TLS. */
  readonly identity?: ProxyIdentity;
  /** Roots by which it verifies the server, where it begins TLS anew; a path. */
  readonly upstreamRoots?: string;
  /** How long it waits for a word of either side. @default "1h", as documented */
  readonly patience?: string;
}

/** Starts nginx or HAProxy with a configuration of docs/networking.md, for the server `localhost`. */
export async function startDocumented(title: string, init: StartDocumentedInit): Promise<ProxyProcess> {
  const { port, upstream, identity, upstreamRoots, patience = "1h" } = init;
  const program: ProxyProgram = title.startsWith("nginx") ? "nginx" : "haproxy";
  return startProxy({
    program,
    port,
    configuration: async (folder) => {
      const replacements = {
        "1h": patience,
        ...(program === "nginx"
          ? {
              "listen 443": `listen 127.0.0.1:${port}`,
              "/run/nginx.pid": `${folder}/pid`,
              "/var/log/nginx/flare.log": `${folder}/proxy.log`,
            }
          : { "bind :443": `bind 127.0.0.1:${port}` }),
        ...(identity === undefined
          ? { "10.0.0.5:8002": `127.0.0.1:${upstream}` }
          : { "127.0.0.1:8002": `127.0.0.1:${upstream}`, ...placesOf(program, identity) }),
      };
      const whole = await documentedConfiguration(title, replacements);
      const named = whole.replaceAll("fl.example.org", "localhost");
      return upstreamRoots === undefined
        ? named
        : withTlsUpstream(program, named, await upstreamPart(program, title, { upstream, upstreamRoots, patience }));
    },
  });
}

/** User and password of the documented tinyproxy, as they stand before the host of its URL. */
export const tinyproxyUser = "hospital:a-long-password@";

/** Starts tinyproxy as documented, on a free port; it makes tunnels to one port alone. */
export async function startTinyproxy(connectPort: number): Promise<ProxyProcess> {
  const port = await freePort();
  return startProxy({
    program: "tinyproxy",
    port,
    configuration: (folder) =>
      documentedConfiguration("tinyproxy with a password", {
        "Port 3128": `Port ${port}`,
        "Listen 192.0.2.10": "Listen 127.0.0.1",
        "ConnectPort 8002": `ConnectPort ${connectPort}`,
        "/var/log/tinyproxy/tinyproxy.log": `${folder}/proxy.log`,
      }),
  });
}

function placesOf(program: ProxyProgram, { certificate, key, both }: ProxyIdentity): Record<string, string> {
  if (program === "haproxy") return { "/etc/haproxy/tls/fl.example.org.pem": both };
  return { "/etc/nginx/tls/fl.example.org.crt": certificate, "/etc/nginx/tls/fl.example.org.key": key };
}

/** The documented part that begins TLS anew, in place of the one that does not. */
async function upstreamPart(
  program: ProxyProgram,
  title: string,
  { upstream, upstreamRoots, patience }: { readonly upstream: number; readonly upstreamRoots: string; readonly patience: string },
): Promise<string> {
  const part = await documentedConfiguration(`${title} and begun anew to the server`, {
    "10.0.0.5:8002": `127.0.0.1:${upstream}`,
    [program === "nginx" ? "/etc/nginx/tls/rootCA.pem" : "/etc/haproxy/tls/rootCA.pem"]: upstreamRoots,
    "fl.example.org": "localhost",
    ...(program === "nginx" ? { "1h": patience } : {}),
  });
  return part.slice(part.indexOf("\n") + 1);
}

function withTlsUpstream(program: ProxyProgram, whole: string, part: string): string {
  const place = program === "nginx" ? / {4}location \/flare\.v1\. \{[\s\S]*?\n {4}\}\n/ : /^backend flare\n[\s\S]*$/m;
  if (!place.test(whole)) throw new TypeError("the documented configuration has no place for TLS to the server");
  return whole.replace(place, () => part);
}
