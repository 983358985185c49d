import { getProject, getSite, listSites, type Project, type Site, updateSite } from "@flare-ts/dashboard-api/contract";
import { useApiQuery } from "../../api/use-api-query.js";
import { useSharedForm } from "../../api/use-shared-form.js";
import { ApiForm } from "../../components/api-form.js";
import { Fact, Facts } from "../../components/facts.js";
import { Loaded } from "../../components/loaded.js";
import { SiteFields, type SiteValues, siteBody } from "./site-fields.js";
import { resourcesOf } from "./site-work.js";

/** What a site says about itself; a form for those who look after it. */
export function SiteInformation({ site, mayChange }: { readonly site: Site; readonly mayChange: boolean }) {
  const project = useApiQuery(getProject, {});
  return (
    <Loaded query={project}>
      {(known) => (mayChange ? <InformationForm site={site} project={known} /> : <InformationFacts site={site} project={known} />)}
    </Loaded>
  );
}

function InformationForm({ site, project }: { readonly site: Site; readonly project: Project }) {
  const shared = useSharedForm<SiteValues>({
    version: site.version,
    changedBy: site.changedBy,
    saved: {
      description: site.description,
      gpus: site.capacity.gpus,
      memPerGpuGiB: site.capacity.memPerGpuGiB,
      properties: Object.fromEntries(project.siteProperties.map(({ key }) => [key, site.properties[key] ?? ""])),
      allowLogStreaming: site.allowLogStreaming,
    },
  });
  const { form, version } = shared;
  return (
    <ApiForm
      form={form}
      shared={shared}
      labels={labelsOf(project)}
      route={updateSite}
      toInput={(values) => ({ params: { id: site.id }, body: { ...siteBody(values), version } })}
      submit="Save"
      changes={[listSites, getSite]}
      done="Saved"
    >
      <SiteFields form={form} asked={project.siteProperties} />
    </ApiForm>
  );
}

function InformationFacts({ site, project }: { readonly site: Site; readonly project: Project }) {
  return (
    <Facts>
      <Fact name="Description">{site.description}</Fact>
      <Fact name="Capacity">{resourcesOf(site.capacity)}</Fact>
      {project.siteProperties.map(({ key, label }) => (
        <Fact key={key} name={label}>
          {site.properties[key]}
        </Fact>
      ))}
    </Facts>
  );
}

function labelsOf({ siteProperties }: Project): Record<string, string> {
  const asked = Object.fromEntries(siteProperties.map(({ key, label }) => [`properties.${key}`, label]));
  return { description: "Description", gpus: "GPUs", memPerGpuGiB: "Memory of each, GiB", allowLogStreaming: "Share logs", ...asked };
}
