export { byteSizeOf, byteSizeText } from "./documents/byte-size-schema.js";
export { type DocumentTree, type Position, readDocumentTree } from "./documents/document-tree.js";
export { durationMs } from "./documents/duration-schema.js";
export { checkDocument, pathText, type ReadDocument, type ReadDocumentInit, readDocument } from "./documents/read-document.js";
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
  defaultStudy,
  hostNameSchema,
  isContentHash,
  jobIdSchema,
  projectNameSchema,
  simpleNameSchema,
  siteNameSchema,
  studyNameSchema,
} from "./ids/names.js";
export {
  appConfigWarnings,
  type ClientAppSettings,
  type ClientConfigDocument,
  clientConfigSchema,
  compileClientConfig,
  compileServerConfig,
  type ExecutorSettings,
  hierarchyFilesOf,
  runsCommand,
  type ServerAppSettings,
  type ServerConfigDocument,
  serverConfigSchema,
} from "./job/app-config.js";
export type { ClientApiExecutorSettings, EnvValue, TrainerLaunch } from "./job/client-api-executor.js";
export type { CyclicSettings } from "./job/cyclic.js";
export { executorFor } from "./job/executor-for.js";
export { type FedAvgArgs, type FedAvgSettings, type StrategyChoice, strategyOf } from "./job/fed-avg.js";
export type { FedBuffSettings } from "./job/fed-buff.js";
export { isNamedBy } from "./job/is-named-by.js";
export {
  compileMeta,
  type DeployTargets,
  type JobMeta,
  type JobMetaDocument,
  jobMetaSchema,
  jobMetaWarnings,
  serverTarget,
} from "./job/job-meta.js";
export { jobPathClash, jobPathProblem, jobPathSchema } from "./job/job-path.js";
export type { ModelEvaluationSettings } from "./job/model-evaluation.js";
export type { PsiSettings } from "./job/psi.js";
export { type ResourceRequest, type ResourceSpec, resourcesFor } from "./job/resource-spec.js";
export type { ResultFilterSettings, UpdateFilterSettings } from "./job/result-filters.js";
export type { RoundSettings, StrategySetting } from "./job/round-args.js";
export type { ScaffoldSettings } from "./job/scaffold.js";
export type { SecureAggregation } from "./job/secure-aggregation.js";
export { type JobManifestDocument, jobManifestSchema, type SignedJobDocument, signedJobSchema } from "./job/signed-job-schema.js";
export { type HierarchyGroup, type SiteHierarchy, siteHierarchySchema, sitesOfHierarchy } from "./job/site-hierarchy.js";
export type { StatisticsSettings } from "./job/statistics.js";
export type { StatisticsFilter } from "./job/statistics-filters.js";
export { type Comparison, meetsStopCondition, type StopCondition } from "./job/stop-condition.js";
export { type UpdateForm, updateForms } from "./job/update-forms.js";
export { hasModel, tasksOf, type WorkflowArgs, type WorkflowSettings, type WorkflowStage, type WorkflowTask } from "./job/workflows.js";
export {
  type AuthorizationPolicy,
  type AuthorizationRequest,
  authorizationPolicySchema,
  isAllowed,
} from "./kit/authorization-policy.js";
export { type CommConfig, commConfigSchema } from "./kit/comm-config-schema.js";
export { defaultAuthorizationPolicy } from "./kit/default-policy.js";
export { type FedAdmin, fedAdminSchema } from "./kit/fed-admin-schema.js";
export { type FedClient, fedClientSchema } from "./kit/fed-client-schema.js";
export { type FedRelay, fedRelaySchema, type RelayResources, relayResourcesSchema } from "./kit/fed-relay-schema.js";
export { type FedServer, fedServerSchema } from "./kit/fed-server-schema.js";
export {
  type KitCertificatesDocument,
  kitCertificatesSchema,
  type RenewableType,
  type RenewalIssuer,
} from "./kit/kit-certificates-schema.js";
export { type LogConfig, logConfigSchema, logLevels } from "./kit/log-config-schema.js";
export { type PrivacyFilter, type PrivacyPolicy, type PrivacyScope, privacyPolicySchema } from "./kit/privacy-policy.js";
export {
  type ClientResourcesDocument,
  clientResourcesSchema,
  type SecretSource,
  type ServerResourcesDocument,
  serverResourcesSchema,
} from "./kit/resources-schema.js";
export { categoryOf, policyRightNames, type Right, type RightCategory, rightsByCategory, standaloneRights } from "./kit/rights.js";
export { signaturesSchema } from "./kit/signatures-schema.js";
export { type StudyRegistryDocument, studyRegistrySchema } from "./kit/study-registry-schema.js";
export {
  type Revocation,
  type RevocationReason,
  revocationReasons,
  type TrustList,
  type TrustListDocument,
  trustListDocumentSchema,
  trustListSchema,
} from "./kit/trust-list-schema.js";
export { limits } from "./limits.js";
export { type CaState, caStateSchema } from "./project/ca-state-schema.js";
export { maxRootValidDays, rootValidDaysSchema } from "./project/certificates-schema.js";
export { type ConnectionSecurity, connectToMapSchema, listeningHostMapSchema } from "./project/connection-schemas.js";
export { type EdgeDocument, edgeSchema } from "./project/edge-schema.js";
export { isAdmin, processRoles } from "./project/is-admin.js";
export { type KeyType, keyTypes } from "./project/key-types.js";
export { type ParticipantDocument, participantSchemas } from "./project/participant-schemas.js";
export { adminRoles, builderSchema, type ProjectDocument, projectDocumentSchema } from "./project/project-schema.js";
export { provisionStateSchema } from "./project/provision-state-schema.js";
export { type ParticipantFileDocument, participantFileSchema } from "./request/participant-file-schema.js";
export { type ProjectProfile, projectProfileSchema } from "./request/project-profile-schema.js";
export {
  type AuthorityFileDocument,
  authorityFileSchema,
  type CertificateRequestDocument,
  certificateRequestSchema,
  type SignedApprovalDocument,
  signedApprovalSchema,
} from "./request/request-schema.js";
export { Turns, TurnsByKey } from "./turns.js";
