// Counts the messages of streams and throws them away: the server of `openBareStream`. Ends with its standard input.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { ServerReadableStream } from "@grpc/grpc-js";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { asItIs, streamOptions, uploadPath } from "./bare-method.ts";

const [kit = ""] = process.argv.slice(2);
const read = (name: string): Buffer => readFileSync(join(kit, "startup", name));
const windowBytes = streamOptions["grpc-node.flow_control_window"];
const credentials = ServerCredentials.createSsl(
  read("rootCA.pem"),
  [{ cert_chain: read("server.crt"), private_key: read("server.key") }],
  true,
);
// Servers of grpc-js 1.14.7 ignore the option for their window (grpc/grpc-node#3058), so it goes in another way.
const own = credentials._getConstructorOptions.bind(credentials);
credentials._getConstructorOptions = () => ({ ...own(), settings: { initialWindowSize: windowBytes } });
const server = new Server(streamOptions);
server.addService(
  {
    upload: {
      path: uploadPath,
      requestStream: true,
      responseStream: false,
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
    },
  },
  {
    upload: (call: ServerReadableStream<Buffer, Buffer>, answer: (error: null, reply: Buffer) => void) => {
      let bytes = 0;
      call.on("data", (message: Buffer) => {
        bytes += message.byteLength;
      });
      call.on("end", () => answer(null, Buffer.from(String(bytes))));
    },
  },
);
server.bindAsync("127.0.0.1:0", credentials, (error, port) => {
  if (error !== null) throw error;
  for (const listener of listenersOf(server)) listener.on("session", (session) => session.setLocalWindowSize(windowBytes));
  process.stdout.write(`${port}\n`);
});
process.stdin.on("end", () => server.forceShutdown()).resume();

interface Listener {
  on(event: "session", listener: (session: { setLocalWindowSize(bytes: number): void }) => void): unknown;
}

function listenersOf(bound: Server): Iterable<Listener> {
  return (bound as unknown as { readonly http2Servers: ReadonlyMap<Listener, unknown> }).http2Servers.keys();
}
