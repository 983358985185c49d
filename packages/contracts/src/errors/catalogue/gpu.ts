import { exitStatus, grpcStatus, row } from "./row.js";

/** Errors of the area `gpu`: putting in place what computes on a GPU. */
export const gpuErrors = {
  "gpu/platform-unsupported": row(
    "user",
    "TensorFlow for CUDA does not exist for this system.",
    "Compute on the GPU through WebGPU: npm install webgpu. docs/gpu.md says more.",
    { grpc: grpcStatus.failedPrecondition },
  ),
  "gpu/tensorflow-not-found": row(
    "user",
    "The folder given is not a TensorFlow of Python's site-packages with its libraries and headers.",
    "Give the folder that python3 -c 'import tensorflow; print(tensorflow.__path__[0])' prints, after pip install 'tensorflow[and-cuda]'.",
    { grpc: grpcStatus.notFound, http: 404 },
  ),
  "gpu/tools-missing": row(
    "user",
    "Programs that the set-up needs are not on the PATH.",
    "Install those that the message names; on Debian and Ubuntu: apt install npm g++ make python3.",
    { grpc: grpcStatus.failedPrecondition },
  ),
  "gpu/download-failed": row(
    "user",
    "npm could not install what the set-up needs.",
    "Read npm's last lines in the message. Where the download of libtensorflow failed, use --tensorflow, or name a mirror in TFJS_NODE_BASE_URI.",
    { isRetryable: true, exit: exitStatus.connection, grpc: grpcStatus.unavailable, http: 502 },
  ),
  "gpu/build-failed": row(
    "user",
    "TensorFlow's add-on for Node could not be built.",
    "Read the compiler's last lines in the message; the headers of this TensorFlow and the compiler must go together.",
    { grpc: grpcStatus.failedPrecondition },
  ),
  "gpu/does-not-load": row(
    "user",
    "TensorFlow was put together and does not load, so it was not put in place.",
    "Read the reason in the message; try another TensorFlow, or compute on the GPU through WebGPU: npm install webgpu.",
    { grpc: grpcStatus.failedPrecondition },
  ),
  "gpu/no-device": row(
    "user",
    "TensorFlow is in place and works, but finds no GPU.",
    "Follow the advice in the message, then run flare doctor engines. --allow-cpu leaves out this check, for a machine that gets its GPU later.",
    { grpc: grpcStatus.failedPrecondition },
  ),
  "gpu/foreign-folder": row(
    "user",
    "The folder for TensorFlow.js exists, and flare gpu setup did not make it.",
    "Name a folder with --folder that is empty or does not exist.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
} as const;
