import type { WorkingSite } from "@flare-ts/dashboard-api/contract";
import { Alert, Anchor, Stack, Text } from "@mantine/core";
import { Link } from "wouter";
import { CertificateEnd } from "../../components/certificate-end.js";
import { Fact, Facts } from "../../components/facts.js";
import { formatBytes, formatMoment } from "../../components/format.js";
import { Moment } from "../../components/moment.js";
import { Section } from "../../components/section.js";
import { useFederation } from "../../live/use-federation.js";

/** How a site is doing, as the server sees it. */
export function SiteWork({ site }: { readonly site: WorkingSite | undefined }) {
  const jobs = useFederation().data?.jobs ?? [];
  if (site === undefined) {
    return (
      <Section title="At work">
        <Text size="sm" c="dimmed">
          The server has not seen this site since it started. Start the site with its kit, on the machine where its data is.
        </Text>
      </Section>
    );
  }
  const { lastError } = site;
  return (
    <Section title="At work">
      <Stack gap="md">
        <Facts>
          <Fact name={{ connected: "Connected since", disconnected: "Disconnected since", disabled: "Disabled since" }[site.state]}>
            <Moment atMs={site.sinceMs} />
          </Fact>
          <Fact name="Reason">{site.reason !== "" && <div className="sentence">{site.reason}</div>}</Fact>
          <Fact name="By way of">{site.relay !== null && `the relay ${site.relay}`}</Fact>
          <Fact name="Version">{site.softwareVersion}</Fact>
          <Fact name="Resources">{site.resources !== null && resourcesOf(site.resources)}</Fact>
          <Fact name="Certificate ends">{site.certificateEndsAtMs !== null && <CertificateEnd atMs={site.certificateEndsAtMs} />}</Fact>
          <Fact name="Received from it">{`${formatBytes(site.receivedBytes)}${speed(site.receivedBytesPerSecond)}`}</Fact>
          <Fact name="Sent to it">{`${formatBytes(site.sentBytes)}${speed(site.sentBytesPerSecond)}`}</Fact>
          <Fact name="Logs">{site.allowsLogStreaming ? "are shared" : "stay at the site"}</Fact>
          <Fact name="Privacy scopes">{site.privacy !== null && scopesOf(site.privacy)}</Fact>
          <Fact name="Jobs">
            {site.jobs.length === 0
              ? "none now"
              : site.jobs.map((id) => (
                  <div key={id}>
                    <Anchor component={Link} href={`/jobs/${id}`} size="sm">
                      {jobs.find((job) => job.id === id)?.name ?? id.slice(0, 8)}
                    </Anchor>
                  </div>
                ))}
          </Fact>
        </Facts>
        {lastError !== null && (
          <Alert color="orange" variant="light" title={`Last error, ${formatMoment(lastError.atMs)}`}>
            <Text size="sm">{lastError.message}</Text>
            <Text size="sm">{lastError.todo}</Text>
            <Text size="xs" className="mono" mt={4}>
              {lastError.code}
            </Text>
          </Alert>
        )}
      </Stack>
    </Section>
  );
}

/** What a site has for training, in words. */
export function resourcesOf({ gpus, memPerGpuGiB }: { readonly gpus: number; readonly memPerGpuGiB: number }): string {
  return gpus === 0 ? "CPU only" : `${gpus} GPU${gpus === 1 ? "" : "s"} with ${memPerGpuGiB} GiB`;
}

function scopesOf({ scopes, defaultScope }: NonNullable<WorkingSite["privacy"]>): string {
  const names = scopes.map((name) => (name === defaultScope ? `${name} (default)` : name)).join(", ");
  return defaultScope === null ? `${names}; a job has to name one` : names;
}

function speed(bytesPerSecond: number | null): string {
  return bytesPerSecond === null ? "" : ` at ${formatBytes(bytesPerSecond)}/s`;
}
