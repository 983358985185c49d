import { Progress, Table, Text } from "@mantine/core";
import { formatBytes, formatDuration, formatValue } from "../../components/format.js";
import { StatusPill, type Tone } from "../../components/status-pill.js";
import { lateSites } from "../../jobs/late-sites.js";
import type { SiteProgress } from "../../jobs/phase-track.js";
import { isAnswered, type RoundView, roundName, type SiteInRound, type SiteRoundState } from "../../jobs/round-view.js";

export interface RoundSitesProps {
  readonly round: RoundView;
  /** Rounds whose sites are listed after its own, the oldest first. */
  readonly before: readonly RoundView[];
  /** What sites say now, where the job runs. */
  readonly progress: Readonly<Record<string, SiteProgress>>;
  /** The last error of each site in this job, where it had one. */
  readonly errors: ReadonlyMap<string, { readonly atMs: number; readonly message: string }>;
  readonly nowMs: number;
}

/** A site that has said nothing of its task for so long is worth a word. */
const silentMs = 30_000;

const tones: Readonly<Record<SiteRoundState, Tone>> = { working: "live", answered: "good", failed: "bad", gone: "bad", missing: "warn" };
const words: Readonly<Record<SiteRoundState, string>> = {
  working: "working",
  answered: "answered",
  failed: "failed",
  gone: "disconnected",
  missing: "no answer",
};

/** Those that need a look come first. */
const ranks: Readonly<Record<SiteRoundState, number>> = { failed: 0, gone: 1, missing: 2, working: 4, answered: 5 };

/** Who has answered in a round, with what, and who has not and why. */
export function RoundSites({ round, before, progress, errors, nowMs }: RoundSitesProps) {
  const late = round.closedMs === null ? lateSites(round, nowMs) : new Set<string>();
  const rounds = [round, ...before.toReversed()];
  const metric = rounds
    .flatMap(({ metrics, sites }) => [metrics, ...[...sites.values()].map((site) => site.metrics)])
    .flatMap(Object.keys)[0];
  const order = (site: SiteInRound): number => (late.has(site.site) ? 3 : ranks[site.state]);
  const rows = rounds.flatMap((one) =>
    [...one.sites.values()]
      .sort((a, b) => order(a) - order(b) || (a.site < b.site ? -1 : 1))
      .map((site) => ({ one, site, isLate: one === round && late.has(site.site) })),
  );
  // What measures a model sends no other.
  const hasUpdates = round.kind !== "evaluate";
  // Masked updates hide their weights as well.
  const hasWeights = hasUpdates && !isAnswered(round) && round.secureSum === null;
  return (
    <Table.ScrollContainer minWidth={560} type="native">
      <Table verticalSpacing={6} fz="sm" aria-label={`Sites of ${before.length > 0 ? "the rounds up to " : ""}${roundName(round)}`}>
        <Table.Thead>
          <Table.Tr>
            {before.length > 0 && <Table.Th>Round</Table.Th>}
            <Table.Th>Site</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th ta="right">Time</Table.Th>
            {hasWeights && <Table.Th ta="right">Weight</Table.Th>}
            {hasUpdates && <Table.Th ta="right">{round.kind === "submit" ? "Model" : isAnswered(round) ? "Answer" : "Update"}</Table.Th>}
            {metric !== undefined && <Table.Th ta="right">{metric}</Table.Th>}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ one, site, isLate }) => (
            <Table.Tr key={`${one.round} ${site.site}`}>
              {before.length > 0 && <Table.Td>{one.number}</Table.Td>}
              <Table.Td fw={500}>{site.site}</Table.Td>
              <Table.Td>
                <StatusPill tone={isLate ? "warn" : tones[site.state]}>{isLate ? "late" : words[site.state]}</StatusPill>
                {site.state === "working" && <Working progress={progress[site.site]} error={errors.get(site.site)} nowMs={nowMs} />}
                {site.cause !== "" && (
                  <Text size="xs" c="dimmed" maw={420}>
                    {site.cause}
                  </Text>
                )}
              </Table.Td>
              <Table.Td ta="right">
                {formatDuration((site.answeredMs ?? (one.buffered === null ? one.closedMs : null) ?? nowMs) - site.openedMs)}
              </Table.Td>
              {hasWeights && <Table.Td ta="right">{formatValue(site.weight)}</Table.Td>}
              {hasUpdates && <Table.Td ta="right">{site.bytes === null ? "–" : formatBytes(site.bytes)}</Table.Td>}
              {metric !== undefined && <Table.Td ta="right">{formatValue(site.metrics[metric] ?? null)}</Table.Td>}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Working({
  progress,
  error,
  nowMs,
}: {
  readonly progress: SiteProgress | undefined;
  readonly error: { readonly message: string } | undefined;
  readonly nowMs: number;
}) {
  if (progress === undefined && error === undefined) return null;
  const { phase, done, total, reason = "", atMs } = progress ?? { phase: "", done: 0, total: 0, atMs: nowMs };
  const percent = total > 0 ? Math.min(100, (100 * done) / total) : undefined;
  return (
    <Text size="xs" c="dimmed" component="div" mt={2} maw={420}>
      {phase}
      {phase === "waiting" && reason !== "" && `: ${reason}`}
      {percent !== undefined && ` ${Math.round(percent)} %`}
      {nowMs - atMs > silentMs && `, said nothing for ${formatDuration(nowMs - atMs)}`}
      {percent !== undefined && <Progress value={percent} size={3} mt={2} maw={120} aria-label={`${phase}, per cent done`} />}
      {error !== undefined && <div>Last error: {error.message}</div>}
    </Text>
  );
}
