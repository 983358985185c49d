import {
  getParticipantFile,
  getProject,
  getSite,
  listSites,
  routeUrl,
  type Site,
  uploadSiteRequest,
  withdrawSiteRequest,
} from "@flare-ts/dashboard-api/contract";
import { Box, Button, Code, Divider, List, Stack, Text } from "@mantine/core";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
import { formatMoment } from "../../components/format.js";
import { Section } from "../../components/section.js";
import { RequestError, RequestExchange, WaitingRequest } from "../kits/certificate-request.js";
import { IssueKitButton } from "../kits/issue-kit-button.js";
import { KitActions } from "../kits/kit-actions.js";
import { KitFacts } from "../kits/kit-facts.js";
import classes from "./site-certificate.module.css";

/** A site's certificate: by a request whose key never leaves the site, or as a kit that the dashboard makes. */
export function SiteCertificate({ site, mayChange }: { readonly site: Site; readonly mayChange: boolean }) {
  const { kit, request } = site;
  const hasGoodKit = kit !== null && (kit.condition === "good" || kit.condition === "ending");
  return (
    <Section title="Certificate and kit">
      <Stack gap="lg">
        {kit !== null && (
          <>
            <KitFacts kit={kit} />
            {kit.source === "requested" && kit.archive !== null && (
              <Text size="sm" c="dimmed">
                Bring {kit.archive.fileName} to the site and run <Code>flare package {kit.archive.fileName}</Code> there: the kit is put
                together beside its key.
              </Text>
            )}
            {mayChange && <KitActions kit={kit} />}
            <Divider />
          </>
        )}
        {request !== null && <Request site={site} request={request} mayChange={mayChange} />}
        {mayChange && request === null && (
          // One element for both cases: the dialog with a new kit's passphrase lives in it, and must outlast that the kit is there.
          <details open={!hasGoodKit}>
            <summary className={classes["another"]}>{hasGoodKit ? "Get another certificate" : "Get a certificate"}</summary>
            <Ways site={site} />
          </details>
        )}
        {!mayChange && kit === null && request === null && (
          <Text size="sm" c="dimmed">
            This site has no certificate yet.
          </Text>
        )}
      </Stack>
    </Section>
  );
}

function Request({
  site,
  request,
  mayChange,
}: {
  readonly site: Site;
  readonly request: NonNullable<Site["request"]>;
  readonly mayChange: boolean;
}) {
  const withdraw = useApiMutation(withdrawSiteRequest, { changes: [listSites, getSite], done: "The request is withdrawn" });
  return (
    <Stack gap="sm">
      <WaitingRequest
        request={request}
        decision="The project admin has to approve the site first."
        uploaded={`${formatMoment(request.uploadedAtMs)} by ${request.uploadedBy}`}
      />
      <Text size="sm" c="dimmed">
        Compare the public key with what flare cert request showed at the site.
      </Text>
      {mayChange && (
        <div>
          <Button variant="default" loading={withdraw.isPending} onClick={() => withdraw.mutate({ params: { id: site.id } })}>
            Withdraw request
          </Button>
        </div>
      )}
    </Stack>
  );
}

function Ways({ site }: { readonly site: Site }) {
  const project = useApiQuery(getProject, {});
  const params = { id: site.id };
  const upload = useApiMutation(uploadSiteRequest, { changes: [listSites, getSite], done: "The request is uploaded", tellsErrors: false });
  return (
    <Stack gap="md">
      <div>
        <Text fw={600} size="sm">
          The key stays at the site
        </Text>
        <List type="ordered" size="sm" mt={4} spacing={4}>
          <List.Item>Take participant.yaml to the machine of the site.</List.Item>
          <List.Item>
            Run <Code>flare cert request -p participant.yaml</Code> there. It makes the key and writes <Code>{site.name}.request.zip</Code>.
          </List.Item>
          <List.Item>Upload that file here; it holds no secret.</List.Item>
        </List>
        <Box mt="sm">
          <RequestExchange
            participantFile={routeUrl(getParticipantFile, params)}
            label="Certificate request"
            isUploading={upload.isPending}
            onRequest={(file) => upload.mutate({ params, body: file })}
          />
        </Box>
        {upload.error !== null && (
          <div style={{ marginTop: 12 }}>
            <RequestError error={upload.error} />
          </div>
        )}
      </div>
      {site.state === "approved" && (
        <>
          <Divider label="or" />
          <div>
            <Text fw={600} size="sm">
              The dashboard makes the key
            </Text>
            <Text size="sm" c="dimmed" mb="sm">
              Simpler, but the key travels: as an encrypted archive whose passphrase is shown once.
            </Text>
            <IssueKitButton of={{ site: site.id }} earlier={site.kit} isSecondary />
            {project.data?.isElsewhere === false && project.data.authority?.isUnlocked !== true && (
              <Text size="sm" c="var(--ink-warn)" mt="xs">
                {project.data.authority === null
                  ? "Kits can be made once the project is frozen."
                  : "The certificate authority is locked: a project admin gives its passphrase on the page of the project; then kits can be made again."}
              </Text>
            )}
          </div>
        </>
      )}
    </Stack>
  );
}
