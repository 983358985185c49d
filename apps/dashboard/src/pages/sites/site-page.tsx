import { decideSite, getSite, listSites, removeSite, type Site } from "@flare-ts/dashboard-api/contract";
import { Alert, Button, Loader, SimpleGrid, Stack } from "@mantine/core";
import { IconBuildingHospital } from "@tabler/icons-react";
import { useLocation } from "wouter";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { usePerson } from "../../api/use-session.js";
import { ConfirmButton } from "../../components/confirm-button.js";
import { EmptyState } from "../../components/empty-state.js";
import { ErrorPanel } from "../../components/error-panel.js";
import { PageHeader } from "../../components/page-header.js";
import { Section } from "../../components/section.js";
import { UnreachedNote } from "../../components/unreached-note.js";
import { useAllSites } from "./all-sites.js";
import { SiteApproval } from "./site-approval.js";
import { SiteCertificate } from "./site-certificate.js";
import { SiteConnection } from "./site-connection.js";
import { SiteInformation } from "./site-information.js";
import { SiteWork } from "./site-work.js";

/** One site: how it is doing, what it says about itself, and its certificate. */
export function SitePage({ name }: { readonly name: string }) {
  const me = usePerson();
  const { sites, isLoading, error } = useAllSites();
  const site = sites.find((one) => one.name === name);
  if (site === undefined) {
    return (
      <>
        <PageHeader title={name} back={{ href: "/sites", text: "Sites" }} />
        {error !== null ? (
          <ErrorPanel error={error} />
        ) : isLoading ? (
          <Loader type="dots" aria-label="Loading" />
        ) : (
          <EmptyState icon={<IconBuildingHospital size={24} />} title="There is no such site">
            It may have been removed, or it belongs to another organisation.
          </EmptyState>
        )}
      </>
    );
  }
  const { registered, working } = site;
  const mayChange = me.role === "project_admin" || (me.role === "org_admin" && registered?.organization === me.organization);
  return (
    <>
      <PageHeader
        title={site.name}
        about={site.organization}
        back={{ href: "/sites", text: "Sites" }}
        badge={
          <>
            <SiteConnection site={working} />
            {registered !== undefined && <SiteApproval state={registered.state} />}
          </>
        }
        actions={
          registered !== undefined && <SiteActions site={registered} isProjectAdmin={me.role === "project_admin"} mayChange={mayChange} />
        }
      />
      <Stack gap="lg">
        {registered !== undefined && registered.missing.length > 0 && (
          <Alert color="orange" variant="light" title="The project asks for more">
            Still to fill in: {registered.missing.join(", ")}.
          </Alert>
        )}
        <UnreachedNote />
        <SiteWork site={working} />
        {registered !== undefined && (
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
            <SiteCertificate site={registered} mayChange={mayChange} />
            <Section title="Information">
              <SiteInformation key={registered.id} site={registered} mayChange={mayChange} />
            </Section>
          </SimpleGrid>
        )}
      </Stack>
    </>
  );
}

function SiteActions({
  site,
  isProjectAdmin,
  mayChange,
}: {
  readonly site: Site;
  readonly isProjectAdmin: boolean;
  readonly mayChange: boolean;
}) {
  const [, go] = useLocation();
  const params = { id: site.id };
  const decide = useApiMutation(decideSite, { changes: [listSites, getSite], done: "Saved" });
  const remove = useApiMutation(removeSite, { changes: [listSites], done: "The site is removed", onDone: () => go("/sites") });
  const hasGoodKit = site.kit !== null && (site.kit.condition === "good" || site.kit.condition === "ending");
  return (
    <>
      {mayChange && !hasGoodKit && (
        <ConfirmButton
          question={`Remove ${site.name}?`}
          consequence="What it says about itself is deleted. What was done with it stays in the audit trail."
          verb="Remove"
          onConfirm={() => remove.mutate({ params })}
        >
          Remove
        </ConfirmButton>
      )}
      {isProjectAdmin && site.state === "approved" && (
        <ConfirmButton
          question={`Reject ${site.name}?`}
          consequence="Its kit is revoked and it is cut off at once."
          verb="Reject"
          onConfirm={() => decide.mutate({ params, body: { decision: "reject" } })}
        >
          Reject
        </ConfirmButton>
      )}
      {isProjectAdmin && site.state !== "approved" && (
        <>
          {site.state === "pending" && (
            <Button variant="default" onClick={() => decide.mutate({ params, body: { decision: "reject" } })}>
              Reject
            </Button>
          )}
          <Button onClick={() => decide.mutate({ params, body: { decision: "approve", version: site.version } })}>Approve</Button>
        </>
      )}
    </>
  );
}
