export { readHosts, readSubject, type SubjectFields } from "../pki/read-certificate.js";
export { fingerprintOf } from "./fingerprint-of.js";
export { currentIdentityFile, identityFolderOf } from "./identity-layout.js";
export { issuableBy, issuerRole } from "./issuer-role.js";
export type { Kit, KitCertificates, KitEndpoint, KitListening, KitLocalFiles, KitRelay, KitType } from "./kit.js";
export { makeFolder } from "./make-folder.js";
export { type ReadCertificatesOptions, readCertificates } from "./read-certificates.js";
export { readKit } from "./read-kit.js";
export {
  type ClientResources,
  type LocalResources,
  type ResourceBudget,
  readAuthorizationPolicy,
  readLocalResources,
  readLogConfig,
  readPrivacyPolicy,
  type ServerResources,
} from "./read-local.js";
export { isSignedBy, type SignBytesOptions, signBytes } from "./signature.js";
export { ProjectTrust, type ProjectTrustInit, type VerifyOptions } from "./trust.js";
export { type OpenTrustKeeperOptions, TrustKeeper } from "./trust-keeper.js";
export { signTrustList, type TrustListSigner } from "./trust-list.js";
export type { ChainFault, ChainVerdict, RefusedChain, TrustedChain } from "./verify-chain.js";
export { type VerifyKitOptions, verifyKit } from "./verify-kit.js";
export { writeDurably } from "./write-durably.js";
