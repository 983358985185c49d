import { once } from "node:events";
import { isIP, type Socket } from "node:net";
import { checkServerIdentity, connect, type DetailedPeerCertificate, type PeerCertificate, type TLSSocket } from "node:tls";
import type { Json } from "@flare-ts/contracts";
import { type Kit, type ProjectTrust, readCertificates } from "@flare-ts/provision/kit";
import { speaksNoTls } from "../transport/explain-dial-failure.js";
import { addressOf } from "../transport/proxy/http-proxy.js";
import type { CheckedKit } from "./check-kit.js";
import { failed, type PreflightCheck, passed, skipped } from "./preflight-check.js";

/** What a handshake with the server showed. */
export interface SeenTls {
  readonly checks: readonly PreflightCheck[];
  /** The connection, where it is one to the server as far as can be told; only its dates may be wrong. */
  readonly socket: TLSSocket | undefined;
}

const handshakeMs = 15_000;

/** Makes a TLS connection as the kit would, and looks at who answers, whatever that is. */
export async function checkTls({ kit, trust }: CheckedKit, open: () => Promise<Socket>, signal: AbortSignal): Promise<SeenTls> {
  const { host } = kit.endpoint;
  let socket: TLSSocket;
  try {
    socket = await handshake(kit, rootsOf(kit, trust), await open(), signal);
  } catch (error) {
    signal.throwIfAborted();
    return { checks: [noTls(kit, error), skipped("http2", "Not tried.")], socket: undefined };
  }
  const leaf = socket.getPeerCertificate(true);
  const shown = chainOf(leaf);
  const facts = {
    chain: shown.map(({ subject, issuer }) => ({ subject: nameText(subject), issuer: nameText(issuer) })),
    protocol: socket.getProtocol(),
  };
  const tls = judge(kit, rootsOf(kit, trust), { socket, leaf, facts }) ?? passed("tls", trustedText(kit, leaf, socket), facts);
  const http2 = http2Check(socket, host);
  if (http2.outcome === "ok" && (tls.outcome === "ok" || isAboutDates(socket))) return { checks: [tls, http2], socket };
  socket.destroy();
  return { checks: [tls, http2], socket: undefined };
}

async function handshake({ endpoint, serverIdentity, ...kit }: Kit, ca: string, raw: Socket, signal: AbortSignal): Promise<TLSSocket> {
  const { host, connectionSecurity } = endpoint;
  const isMutual = connectionSecurity === "mtls";
  const named = isIP(serverIdentity) === 0 ? serverIdentity : "server";
  const socket = connect({
    socket: raw,
    servername: isIP(host) === 0 ? host : named,
    ca,
    ...(isMutual ? { cert: kit.certificatePem, key: kit.privateKeyPem } : {}),
    // Judged below: what is wrong is to be told, not only that something is.
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
    minVersion: "TLSv1.2",
  });
  try {
    await once(socket, "secureConnect", { signal: AbortSignal.any([signal, AbortSignal.timeout(handshakeMs)]) });
    socket.on("error", () => undefined);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** The roots by which whoever answers is judged. */
function rootsOf({ endpoint, customCaPem }: Kit, trust: ProjectTrust): string {
  return endpoint.connectionSecurity === "mtls" ? trust.rootBundlePem : (customCaPem ?? trust.rootBundlePem);
}

/** What is wrong with the certificate that was shown, if anything is. */
function judge(
  kit: Kit,
  roots: string,
  { socket, leaf, facts }: { readonly socket: TLSSocket; readonly leaf: DetailedPeerCertificate; readonly facts: Record<string, Json> },
): PreflightCheck | undefined {
  const { host } = kit.endpoint;
  const refused = (found: string, todo: string): PreflightCheck => ({ ...failed("tls", found, todo, facts), code: "auth/tls-refused" });
  const trouble = troubleOf(socket);
  if (isAboutDates(socket)) {
    return refused(
      `The certificate of ${nameText(leaf.subject)} is good from ${leaf.valid_from} to ${leaf.valid_to} only.`,
      "Check this machine's clock first; if it is right, whoever runs what answers there renews that certificate.",
    );
  }
  const misnamed = checkServerIdentity(host, leaf);
  if (trouble !== "") return strangeIssuer(kit, roots, { leaf, isNamed: misnamed === undefined, refused });
  if (misnamed !== undefined) {
    return refused(
      `The certificate of ${nameText(leaf.subject)} is not for ${host}, but for ${leaf.subjectaltname ?? "no name at all"}.`,
      `Dial one of these names, or add ${host} to the server's host_names in project.yml and provision anew.`,
    );
  }
  return undefined;
}

function troubleOf({ authorized, authorizationError }: TLSSocket): string {
  return authorized ? "" : String(authorizationError);
}

function isAboutDates(socket: TLSSocket): boolean {
  return /EXPIRED|NOT_YET_VALID/.test(troubleOf(socket));
}

function strangeIssuer(
  { endpoint }: Kit,
  rootsPem: string,
  {
    leaf,
    isNamed,
    refused,
  }: {
    readonly leaf: DetailedPeerCertificate;
    readonly isNamed: boolean;
    readonly refused: (found: string, todo: string) => PreflightCheck;
  },
): PreflightCheck {
  const at = addressOf(endpoint);
  const roots = readCertificates(rootsPem).map(({ subject }) => subject.replaceAll("\n", ", "));
  // Roots of two runs of a CA have the same name, and are two.
  const isNamesake = roots.some((root) => root.split(", ").includes(`CN=${String(leaf.issuer.CN)}`));
  const other = `${isNamesake ? "the " : ""}${roots.join(" or ")}${isNamesake ? " of this kit" : ""}`;
  const found = `${at} shows a certificate of ${nameText(leaf.subject)} that ${nameText(leaf.issuer)} issued, and not ${other}.`;
  if (endpoint.connectionSecurity === "mtls") {
    return isNamed
      ? refused(
          `${found} It carries the server's name, so either the server is that of another project, or something on the way ends TLS and signs anew.`,
          `See whether this kit is of the project that the server is of. If it is, ask whoever runs ${nameText(leaf.issuer)} to exempt ${at} from TLS inspection; with a proxy of the project's that ends TLS, the project needs connection_security: tls.`,
        )
      : refused(found, `Another service answers at ${at}: check host and port in the kit, and where the name leads.`);
  }
  return refused(
    `${found} Either the proxy in front of the server has a new certificate, or something on the way signs anew.`,
    `Ask the project's administrator whether ${nameText(leaf.issuer)} issued the proxy's certificate: if so, its root belongs into custom_ca_cert; if not, have ${at} exempted from TLS inspection.`,
  );
}

function noTls({ endpoint }: Kit, error: unknown): PreflightCheck {
  const { message } = error as Error;
  const at = addressOf(endpoint);
  if (speaksNoTls(message)) {
    return {
      ...failed(
        "tls",
        `What answers at ${at} speaks no TLS, and this kit says connection_security ${endpoint.connectionSecurity}.`,
        "Check that the port is that of the server or of its proxy; if it is, the server's kit says connection_security clear: both kits have to fit.",
        { address: at },
      ),
      code: "auth/tls-refused",
    };
  }
  return {
    ...failed(
      "tls",
      `No TLS connection to ${at} comes about: ${message}.`,
      "Check that the port is that of the server or of its proxy, that a TLS proxy in between passes it through, and that both speak TLS 1.2 or newer.",
      { address: at },
    ),
    code: "auth/tls-refused",
  };
}

function http2Check(socket: TLSSocket, host: string): PreflightCheck {
  if (socket.alpnProtocol === "h2") return passed("http2", "HTTP/2 was agreed on (ALPN h2).");
  return failed(
    "http2",
    `${host} does not agree on HTTP/2 (ALPN), without which gRPC does not work.`,
    "Switch HTTP/2 on at the proxy that ends TLS (nginx: http2, HAProxy: alpn h2), or pass TLS through.",
    { alpn: socket.alpnProtocol === false ? null : socket.alpnProtocol },
  );
}

function trustedText({ endpoint, customCaPem }: Kit, leaf: DetailedPeerCertificate, socket: TLSSocket): string {
  const whose = endpoint.connectionSecurity === "tls" && customCaPem !== undefined ? "a root of customRootCA.pem" : "the project's root";
  return `${socket.getProtocol() ?? "TLS"} with ${nameText(leaf.subject)}, whom ${nameText(leaf.issuer)} certifies; ${whose} stands for it.`;
}

function chainOf(leaf: DetailedPeerCertificate): readonly DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  for (let one: DetailedPeerCertificate | undefined = leaf; one?.raw !== undefined && chain.length < 8; one = one.issuerCertificate) {
    if (chain.at(-1)?.raw.equals(one.raw) === true) break;
    chain.push(one);
  }
  return chain;
}

/** `CN=…, O=…`, what a peer wrote cut to a readable length. */
function nameText(name: PeerCertificate["subject"]): string {
  const parts = (["CN", "O", "OU"] as const).flatMap((key) => {
    const value = name[key];
    return value === undefined ? [] : [`${key}=${String(value).slice(0, 80)}`];
  });
  return parts.length === 0 ? "somebody without a name" : `'${parts.join(", ")}'`;
}
