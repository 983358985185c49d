/** The one call of the bare server. */
export const uploadPath = "/bench.Bare/Upload";

/** Messages go as they are: nothing is encoded. */
export const asItIs = (bytes: Buffer): Buffer => bytes;

const windowBytes = 4 * 1024 * 1024;

/** Options of both sides: the windows that transfers have too. With the default of 64 KiB the bare stream is slower. */
export const streamOptions = Object.freeze({
  "grpc.max_receive_message_length": windowBytes,
  "grpc.max_send_message_length": windowBytes,
  "grpc-node.flow_control_window": windowBytes,
  "grpc.enable_channelz": 0,
  "grpc.enable_retries": 0,
});
