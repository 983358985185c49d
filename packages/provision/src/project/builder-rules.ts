/** What an argument comes to: taken over, nothing to say about, or ignored with the reason. */
export type ArgumentRule = "used" | "silent" | { readonly warn: string };

/** What a builder or packager of FLARE's comes to here. */
export interface BuilderRule {
  readonly args: Readonly<Record<string, ArgumentRule>>;
  /** Its arguments are FLARE's to check; unknown ones are named in a warning. */
  readonly takesAnyArgument?: true;
  /** Why it has no effect. */
  readonly warn?: string;
  /** Why it is a mistake, in FLARE as well. */
  readonly mistake?: string;
}

const base = "nvflare.lighter.impl.";
const confidential = "nvflare.lighter.cc_provision.impl.";
const noEffect = (warn: string): BuilderRule => ({ args: {}, warn });
const attestation =
  "no machine is attested, and nothing keeps the owner of a machine from what runs on it; trust these kits as those of any other project";

/** FLARE's builders by the path that a project file gives, those of earlier versions included. */
export const builderRules: Readonly<Record<string, BuilderRule>> = {
  [`${base}workspace.WorkspaceBuilder`]: { args: { template_file: "silent" } },
  [`${base}template.TemplateBuilder`]: { args: {} },
  [`${base}static_file.StaticFileBuilder`]: {
    args: {
      config_folder: { warn: "the folder of a job's configuration is always 'config'" },
      scheme: "used",
      app_validator: { warn: "jobs are checked by the built-in rules" },
      download_job_url: { warn: "jobs are downloaded over the one port" },
      docker_image: "used",
      overseer_agent: { warn: "FLARE has no overseer any more" },
      snapshot_persistor: { warn: "the server keeps its own journal" },
      components: { warn: "FLARE does not read it any more" },
      enable_byoc: { warn: "the policy in authorization.json decides" },
      require_signed_jobs: "used",
    },
    takesAnyArgument: true,
  },
  [`${base}cert.CertBuilder`]: {
    args: { root_valid_days: "used", enable_job_ca: { warn: "job processes hold no key and need no certificate" } },
  },
  [`${base}signature.SignatureBuilder`]: { args: {} },
  [`${base}docker.DockerBuilder`]: { args: { base_image: "used", requirements_file: "used" } },
  [`${base}he.HEBuilder`]: noEffect("contexts of homomorphic encryption are not written yet; a job that needs them is refused"),
  [`${base}aws.AWSBuilder`]: noEffect("aws_start.sh is not written yet"),
  [`${base}azure.AzureBuilder`]: noEffect("azure_start.sh is not written yet"),
  [`${base}edge.EdgeBuilder`]: noEffect("sites do not serve devices yet: edge__p_resources.json is not written"),
  [`${base}docker_launcher.DockerLauncherBuilder`]: noEffect("FLARE has removed it; jobs do not start in containers yet"),
  [`${base}helm_chart.HelmChartBuilder`]: noEffect("FLARE has removed it; no Helm chart is written"),
  [`${base}workspace.DistributionBuilder`]: noEffect(
    "FLARE has removed it; kits are written as folders, and 'flare package' makes archives",
  ),
  [`${base}auth_policy.AuthPolicyBuilder`]: {
    args: {},
    mistake: "FLARE has removed it; policies stand in authorization.json of each kit",
  },
  [`${confidential}cc.CCBuilder`]: noEffect(attestation),
  [`${confidential}onprem_cvm.OnPremCVMBuilder`]: noEffect(attestation),
  [`${confidential}azure.AzureSimpleBuilder`]: noEffect(attestation),
};

/** FLARE's packagers by their path. */
export const packagerRules: Readonly<Record<string, BuilderRule>> = {
  [`${confidential}onprem_packager.OnPremPackager`]: noEffect("images of confidential machines are not made; kits are written as folders"),
};
