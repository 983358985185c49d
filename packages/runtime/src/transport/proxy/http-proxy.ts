import { isIPv6 } from "node:net";
import { FlareError } from "@flare-ts/contracts";

/** An HTTP proxy that makes tunnels by CONNECT. */
export interface HttpProxy {
  readonly host: string;
  readonly port: number;
  /** `user:password` for Basic authentication; stands in no message and no log line. */
  readonly credentials: string | undefined;
  /** The environment variable that named it. */
  readonly variable: string;
}

/** How a proxy is shown to people: without user and password. */
export function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/**
 * Reads the URL of a proxy as an environment variable holds it; a text without a scheme is an HTTP proxy. The text is quoted in
 * no error, as it may hold a password.
 *
 * @throws FlareError `transfer/proxy-invalid`, `transfer/proxy-not-supported`
 */
export function readProxyUrl(text: string, variable: string): HttpProxy {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const url = parse(hasScheme ? text : `http://${text}`, variable);
  if (url.protocol !== "http:") {
    const scheme = url.protocol.replace(":", "");
    const why = scheme === "https" ? "a proxy that is spoken to over TLS" : `a ${scheme} proxy`;
    throw new FlareError("transfer/proxy-not-supported", `${variable} names ${why}, and that cannot be used.`, {
      facts: { variable, scheme },
    });
  }
  if (url.hostname === "") throw invalid(variable, "it names no host");
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 80 : Number(url.port),
    credentials: credentialsOf(url, variable),
    variable,
  };
}

function parse(text: string, variable: string): URL {
  try {
    return new URL(text);
  } catch {
    // The cause quotes the text.
    throw invalid(variable, "it is not a URL");
  }
}

// RFC 7617: the colon stands there also when the password is empty.
function credentialsOf({ username, password }: URL, variable: string): string | undefined {
  if (username === "" && password === "") return undefined;
  try {
    return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  } catch {
    throw invalid(variable, "its user or password has a percent sign that starts no character (write %25 for the sign itself)");
  }
}

function invalid(variable: string, why: string): FlareError {
  return new FlareError("transfer/proxy-invalid", `${variable} does not name a proxy: ${why}.`, { facts: { variable } });
}
