export { type KitArchive, type ProvisionedKit, type ProvisionInit, type ProvisionResult, provision } from "./provision.js";
