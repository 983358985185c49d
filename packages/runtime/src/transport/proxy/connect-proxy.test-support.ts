import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";

/** A proxy on loopback that answers CONNECT, and what it heard. */
export interface TestProxy {
  readonly port: number;
  /** `host:port credentials` of each CONNECT, in order. */
  readonly heard: string[];
  stop(): Promise<void>;
}

export interface StartTestProxyInit {
  /** What is answered in place of a tunnel: a status line with headers, or nothing at all. */
  readonly answer?: string;
  /** Where every tunnel leads, whatever is asked for. @default where it is asked to */
  readonly leadTo?: number;
}

/** Starts a proxy in this process. */
export async function startTestProxy({ answer, leadTo }: StartTestProxyInit = {}): Promise<TestProxy> {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((_request, response) => response.end("a page"));
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  server.on("connect", (request, client: Socket, head: Buffer) => {
    const [scheme = "", credentials = ""] = (request.headers["proxy-authorization"] ?? "").split(" ");
    const who = scheme === "Basic" ? ` ${Buffer.from(credentials, "base64").toString()}` : "";
    heard.push(`${request.url}${who}`);
    if (answer !== undefined) {
      if (answer === "") return;
      client.end(`${answer}\r\n\r\n`);
      return;
    }
    const url = new URL(`http://${request.url}`);
    const upstream = connect(leadTo ?? Number(url.port), url.hostname.replace(/^\[|\]$/g, ""));
    sockets.add(upstream);
    upstream.on("error", () => client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
    upstream.once("connect", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    heard,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
