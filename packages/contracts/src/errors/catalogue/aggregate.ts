import { grpcStatus, row } from "./row.js";

/** Errors of the area `aggregate`: safetensors files, updates and the aggregate made of them. */
export const aggregateErrors = {
  "aggregate/safetensors-truncated": row(
    "user",
    "A safetensors file ends before its header or its tensors do.",
    "Write or transfer the file again; it was cut off.",
    { grpc: grpcStatus.dataLoss },
  ),
  "aggregate/safetensors-header": row(
    "user",
    "The header of a safetensors file is not what the format asks for.",
    "Write the file with a safetensors library; a file of another kind must be converted first.",
  ),
  "aggregate/safetensors-dtype": row(
    "user",
    "A safetensors file holds a tensor of an element type that is not supported.",
    "Convert the tensor to one of F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL.",
  ),
  "aggregate/safetensors-offsets": row(
    "user",
    "The header of a safetensors file places a tensor where it cannot be: wrong length, overlap, hole, or bytes that belong to no tensor.",
    "Write the file again with a safetensors library; the header and the data do not belong together.",
  ),
  "aggregate/safetensors-limit": row(
    "user",
    "A safetensors file has a larger header, more tensors or more dimensions than the limit.",
    "Split the model, or shorten names and metadata; docs/limits.md gives the limits.",
    { grpc: grpcStatus.resourceExhausted, http: 413 },
  ),
  "aggregate/tensor-invalid": row(
    "user",
    "A tensor's data does not fit its name, element type or shape.",
    "Give as many elements as the shape says, in the typed array that belongs to the element type.",
  ),
  "aggregate/update-empty": row(
    "site",
    "An update holds no tensor at all.",
    "Check what the trainer sends and what the site's filters leave.",
  ),
  "aggregate/unknown-tensor": row(
    "site",
    "An update holds a tensor that the global model does not have.",
    "Send the tensors of the model that was received; check its version and the names in the trainer.",
  ),
  "aggregate/layout-mismatch": row(
    "site",
    "A tensor has another shape or element type than the global model says.",
    "Use the model definition that the job was started with at every site.",
  ),
  "aggregate/params-type-mixed": row(
    "site",
    "An update is FULL where DIFF is aggregated, or the other way round.",
    "Send the kind of parameters that the task asks for.",
  ),
  "aggregate/not-finite": row(
    "site",
    "A tensor or metric holds NaN or infinity.",
    "Training has diverged or data is missing: lower the learning rate, clip gradients, check the input for gaps.",
  ),
  "aggregate/value-invalid": row("site", "A tensor of kind BOOL holds a byte other than 0 and 1.", "Write truth values as 0 or 1."),
  "aggregate/out-of-range": row(
    "site",
    "A value is too large for the exact arithmetic's scale or for the element type of the result.",
    "Check the update for values that exploded; where they are meant, announce a larger headroom or weight, or use a wider element type.",
    { grpc: grpcStatus.outOfRange },
  ),
  "aggregate/weight-invalid": row(
    "site",
    "The weight of an update or of metrics is missing, zero, negative, not a number or outside the range.",
    "Report the number of samples that the update was trained on.",
  ),
  "aggregate/weight-too-large": row(
    "site",
    "The weight of an update is above the largest that its round has announced.",
    "Give the job a larger `max_weight`, or count in larger units at every site alike.",
    { grpc: grpcStatus.outOfRange },
  ),
  "aggregate/contributor-twice": row(
    "site",
    "The same contributor was added twice to one aggregation.",
    "Send one update a round; a retry of an update already accepted is not to be added.",
    { grpc: grpcStatus.alreadyExists },
  ),
  "aggregate/too-many-contributors": row(
    "user",
    "An aggregation has more contributors than the exact arithmetic has headroom for.",
    "Aggregate in groups and then the groups' results, each with the sum of its weights.",
    { grpc: grpcStatus.resourceExhausted },
  ),
  "aggregate/no-contributions": row(
    "server",
    "An aggregation was to be finished without any update.",
    "Wait for an update, or close the round as failed.",
    {
      grpc: grpcStatus.failedPrecondition,
      http: 409,
    },
  ),
  "aggregate/base-missing": row(
    "user",
    "Differences, or updates under a strategy that changes the global model, were to be aggregated without that model.",
    "Name the global model that the updates were trained from (`--base`; `base` where the library finishes an aggregation).",
    { grpc: grpcStatus.failedPrecondition },
  ),
  "aggregate/scale-incomplete": row(
    "bug",
    "The announced scale has no usable entry for a tensor of the model.",
    "Announce the scale from the same global model that the aggregation is opened with.",
  ),
  "aggregate/update-changed": row(
    "server",
    "The file of an update changed between the moment it was checked and the moment it was folded.",
    "Keep accepted updates unchanged until the round is closed; then start the aggregation again.",
    { isRetryable: true, grpc: grpcStatus.aborted },
  ),
  "aggregate/threads-ended": row(
    "bug",
    "A thread of the aggregation engine ended while it was needed, or the engine was closed too early.",
    "Finish or discard all sessions before the engine is closed; otherwise open a new engine and report what the log says.",
    { isRetryable: true },
  ),
  "aggregate/memory-exhausted": row(
    "server",
    "The aggregation engine cannot get the memory that its kernels need.",
    "Give the process 64 MiB more, or use fewer processes on the machine.",
    { isRetryable: true, grpc: grpcStatus.resourceExhausted },
  ),
  "aggregate/engine-unavailable": row(
    "user",
    "The engine or mode that was asked for does not run in this process.",
    "Ask for `auto`, or start Node without the option that turns WebAssembly or threads off; `flare doctor engines` says how to get a GPU.",
    { grpc: grpcStatus.failedPrecondition },
  ),
  "aggregate/compression-invalid": row(
    "site",
    "A compressed update is not what its form asks for, such as other scales or indices than its tensors need.",
    "Make compressed updates with `compressUpdate` or by the form that the package's README gives; otherwise send plain tensors.",
  ),
  "aggregate/update-incomplete": row(
    "site",
    "An update lacks a tensor that others have, under a strategy that compares whole updates.",
    "Send the same tensors from every site, or choose a strategy that looks at each tensor by itself.",
  ),
  "aggregate/sums-invalid": row(
    "server",
    "A file of sums does not go with this aggregation: another model, scale or strategy, or numbers that nobody can have summed.",
    "Make the sums with the scale, strategy and model of the round, and with the same version of the software.",
    { grpc: grpcStatus.invalidArgument },
  ),
  "aggregate/mask-invalid": row(
    "bug",
    "A mask is none: there is no mask at all, a seed has another length than 32 bytes, two have the same, or a sign is neither 1 nor -1.",
    "Give every update at least one mask whose seed is used for nothing else.",
  ),
  "aggregate/masked-invalid": row(
    "site",
    "An update is not masked, or masked for another model, scale or largest weight than its round has announced.",
    "Mask the update with what the round announces, and with the same version of the software.",
  ),
  "aggregate/unmasking-failed": row(
    "server",
    "Masked updates with the masks that were given taken away are no sum of updates: a mask is missing, wrong or one too many, or an update is damaged.",
    "Ask all sites of the round to mask their updates anew; where it happens again, look for a site with other software.",
    { isRetryable: true, grpc: grpcStatus.dataLoss },
  ),
  "aggregate/state-invalid": row(
    "user",
    "What a server step keeps between rounds is missing, or is of another strategy or model.",
    "Name a folder for the new state (`--state-to`), and the one that the round before has written (`--state-from`), or none to begin anew.",
    { grpc: grpcStatus.failedPrecondition },
  ),
  "aggregate/strategy-unfit": row(
    "user",
    "The strategy cannot combine these updates, such as too few of them, or differences where it needs whole models.",
    "Choose another strategy or its settings, or wait for more updates.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "aggregate/strategy-invalid": row(
    "user",
    "There is no such aggregation strategy or setting of it, a value is outside of its range, or a strategy of one's own is malformed.",
    "Use a name, a setting or a value that the message names.",
  ),
  "aggregate/device-memory": row(
    "server",
    "The device has no room for a part of the aggregation.",
    "Nothing: smaller parts are tried, then the CPU. Where it happens often, use fewer programs on the device.",
    { isRetryable: true, grpc: grpcStatus.resourceExhausted },
  ),
  "aggregate/device-lost": row(
    "server",
    "The device that computed has stopped doing so.",
    "Nothing: the CPU goes on. Look at the system's log for the driver's reason, and run `flare doctor engines`.",
    { isRetryable: true },
  ),
  "aggregate/stream-compressed": row(
    "site",
    "An update is compressed in a form whose values cannot be summed in the order in which they arrive.",
    "Send plain tensors, or compress to float16 or bfloat16; sessions that keep whole updates take every form.",
  ),
  "aggregate/update-unfinished": row(
    "server",
    "An update whose stream broke off, or was refused, is still in the sums in part.",
    "Take it back with the bytes that it brought, or send the rest of it and end it; otherwise start the round again.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "aggregate/not-taken-back": row(
    "server",
    "What a broken update has brought cannot be taken out of the sums.",
    "Give the bytes that were written, from the first on, and use mode exact: sums in float32 cannot be restored.",
    { grpc: grpcStatus.failedPrecondition },
  ),
  "aggregate/session-closed": row(
    "bug",
    "An aggregation that was finished or discarded was used again.",
    "Open a new session for each aggregation.",
    { grpc: grpcStatus.failedPrecondition },
  ),
} as const;
