export { pathText, type Position, type ReadDocument, type ReadDocumentInit, readDocument } from "./documents/read-document.js";
export { type ErrorCode, errorCatalogue } from "./errors/catalogue/index.js";
export { type Culprit, type ErrorRow, exitStatus, grpcStatus } from "./errors/catalogue/row.js";
export {
  FlareError,
  type FlareErrorOptions,
  isErrorCode,
  type Json,
  type Problem,
  type SerializedFlareError,
} from "./errors/flare-error.js";
export { nearestWord } from "./errors/nearest-word.js";
export {
  adminNameSchema,
  type ContentHash,
  contentHashSchema,
  hostNameSchema,
  isContentHash,
  jobIdSchema,
  simpleNameSchema,
  siteNameSchema,
} from "./ids/names.js";
export { limits } from "./limits.js";
