import { constants, type ServerHttp2Stream } from "node:http2";

/**
 * Cuts one call at once, whatever is still to be sent or read, and nothing else of its connection. The stream behind a call
 * is an internal of grpc-js; a test tells when it has moved.
 */
export function resetCall(call: object): void {
  const { call: inner } = call as { readonly call: { readonly stream: ServerHttp2Stream } };
  inner.stream.close(constants.NGHTTP2_CANCEL);
}
