export { type ProvisionedKit, type ProvisionInit, type ProvisionResult, provision } from "./provision.js";
