import { isIP } from "node:net";
import { FlareError } from "@flare-ts/contracts";

/** How the way between browsers and the dashboard is secured. */
export type ServingSecurity =
  /** TLS with a certificate that the dashboard makes itself; browsers warn once, the fingerprint is printed. */
  | { readonly kind: "own" }
  /** TLS with a certificate from elsewhere; PEM files, read again when they change. */
  | { readonly kind: "given"; readonly certificateFile: string; readonly keyFile: string }
  /** A proxy has the certificate; only these addresses are believed when they say for whom they ask. */
  | { readonly kind: "proxy"; readonly trustedProxies: readonly string[] }
  /** Nothing, on this machine only. */
  | { readonly kind: "clear" };

/**
 * Passes what may be started: clear on loopback only, and behind a proxy with the address that people use.
 *
 * @throws FlareError `dashboard/invalid-settings`
 */
export function checkServing(security: ServingSecurity, init: { readonly host: string; readonly publicUrl: string | undefined }): void {
  const refuse = (message: string): never => {
    throw new FlareError("dashboard/invalid-settings", message);
  };
  const { host, publicUrl } = init;
  if (publicUrl !== undefined && !(URL.canParse(publicUrl) && /^https?:$/.test(new URL(publicUrl).protocol))) {
    refuse("The public address has to be a URL such as https://flare.example.org.");
  }
  if (security.kind === "clear" && !isLoopback(host)) {
    refuse(`Without TLS the dashboard listens on this machine only, not on ${host}: passwords would be there for everybody to read.`);
  }
  if (security.kind === "proxy") {
    if (publicUrl === undefined || !publicUrl.startsWith("https:")) refuse("Behind a proxy the public https:// address has to be set.");
    if (security.trustedProxies.length === 0) refuse("Behind a proxy the proxy's own address has to be set.");
    const wrong = security.trustedProxies.find((proxy) => !isNetwork(proxy));
    if (wrong !== undefined) {
      refuse(
        `'${wrong.slice(0, 100)}' is no IP address of a proxy, and no network such as 10.0.0.0/8; a proxy's name or port cannot be given.`,
      );
    }
  }
  if (security.kind !== "clear" && publicUrl?.startsWith("http:") === true) refuse("The public address has to begin with https://.");
}

/** Whether browsers reach the dashboard over TLS. */
export function isSecure({ kind }: ServingSecurity): boolean {
  return kind !== "clear";
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** What Fastify takes for proxies that are believed: addresses, networks, and its names of some networks. */
function isNetwork(text: string): boolean {
  if (["loopback", "linklocal", "uniquelocal"].includes(text)) return true;
  const [address = "", range, ...more] = text.split("/");
  const kind = isIP(address);
  if (kind === 0 || more.length > 0) return false;
  if (range === undefined || (kind === 4 && isIP(range) === 4)) return true;
  return /^[1-9]\d{0,2}$/.test(range) && Number(range) <= (kind === 4 ? 32 : 128);
}
