export { limits } from "../limits.js";
export { type ErrorCode, errorCatalogue } from "./catalogue/index.js";
export { type Culprit, type ErrorRow, exitStatus, grpcStatus } from "./catalogue/row.js";
export {
  FlareError,
  type FlareErrorOptions,
  isErrorCode,
  type Json,
  type Problem,
  type SerializedFlareError,
} from "./flare-error.js";
export { nearestWord } from "./nearest-word.js";
