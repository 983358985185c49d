import { tfjsDevice } from "@flare-ts/aggregator";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";
import { combineDeviceCompliance } from "./combine-device-compliance.js";

// The same functions of TensorFlow.js as with tfjs-node-gpu, computed by its WebAssembly backend.
combineDeviceCompliance({
  name: "tfjs on WebAssembly",
  open: async () => {
    await tf.setBackend("wasm");
    return tfjsDevice<tf.Tensor>({ tf, description: "WebAssembly" });
  },
  isExact: false,
  tolerance: { flushedBelow: 2 ** -149, distanceError: 260 * 2 ** -24 },
  heldBytes: () => tf.memory().numBytes,
});
