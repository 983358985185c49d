import { Progress, Table, Text } from "@mantine/core";
import { formatBytes, formatDuration, formatValue } from "../../components/format.js";
import { StatusPill, type Tone } from "../../components/status-pill.js";
import type { RoundView, SiteInRound, SiteRoundState } from "../../jobs/fold-journal.js";
import type { SiteProgress } from "../../jobs/phase-track.js";

export interface RoundSitesProps {
  readonly round: RoundView;
  /** What sites say now, where the job runs. */
  readonly progress: Readonly<Record<string, SiteProgress>>;
  readonly nowMs: number;
}

const tones: Readonly<Record<SiteRoundState, Tone>> = { working: "live", answered: "good", failed: "bad", gone: "bad", missing: "warn" };
const words: Readonly<Record<SiteRoundState, string>> = {
  working: "working",
  answered: "answered",
  failed: "failed",
  gone: "disconnected",
  missing: "no answer",
};

/** Who has answered in a round, with what, and who has not and why. */
export function RoundSites({ round, progress, nowMs }: RoundSitesProps) {
  const metric = Object.keys(round.metrics)[0] ?? [...round.sites.values()].map(({ metrics }) => Object.keys(metrics)[0]).find(Boolean);
  const rows = [...round.sites.values()].sort((a, b) => order(a) - order(b) || (a.site < b.site ? -1 : 1));
  return (
    <Table.ScrollContainer minWidth={560} type="native">
      <Table verticalSpacing={6} fz="sm" aria-label={`Sites of round ${round.round + 1}`}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Site</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th ta="right">Time</Table.Th>
            <Table.Th ta="right">Weight</Table.Th>
            <Table.Th ta="right">Update</Table.Th>
            {metric !== undefined && <Table.Th ta="right">{metric}</Table.Th>}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((site) => (
            <Table.Tr key={site.site}>
              <Table.Td fw={500}>{site.site}</Table.Td>
              <Table.Td>
                <StatusPill tone={tones[site.state]}>{words[site.state]}</StatusPill>
                {site.state === "working" && <Working progress={progress[site.site]} />}
                {site.cause !== "" && (
                  <Text size="xs" c="dimmed" maw={420}>
                    {site.cause}
                  </Text>
                )}
              </Table.Td>
              <Table.Td ta="right">{formatDuration((site.answeredMs ?? round.closedMs ?? nowMs) - site.openedMs)}</Table.Td>
              <Table.Td ta="right">{formatValue(site.weight)}</Table.Td>
              <Table.Td ta="right">{site.bytes === null ? "–" : formatBytes(site.bytes)}</Table.Td>
              {metric !== undefined && <Table.Td ta="right">{formatValue(site.metrics[metric] ?? null)}</Table.Td>}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Working({ progress }: { readonly progress: SiteProgress | undefined }) {
  if (progress === undefined) return null;
  const { phase, done, total } = progress;
  const percent = total > 0 ? Math.min(100, (100 * done) / total) : undefined;
  return (
    <Text size="xs" c="dimmed" component="div" mt={2}>
      {phase}
      {percent !== undefined && (
        <>
          {` ${Math.round(percent)} %`}
          <Progress value={percent} size={3} mt={2} maw={120} aria-label={`${phase}, per cent done`} />
        </>
      )}
    </Text>
  );
}

/** Those that need a look come first. */
function order({ state }: SiteInRound): number {
  return { failed: 0, gone: 1, missing: 2, working: 3, answered: 4 }[state];
}
