import { ScrollArea, Table } from "@mantine/core";
import { formatMoment, formatValue } from "../components/format.js";
import type { PlotSeries } from "./curve-options.js";

export interface PlotTableProps {
  readonly title: string;
  readonly xLabel: string;
  readonly x: readonly number[];
  readonly series: readonly PlotSeries[];
  readonly isTime: boolean;
}

/** The figures of a plot, for those who read rather than look. */
export function PlotTable({ title, xLabel, x, series, isTime }: PlotTableProps) {
  return (
    <ScrollArea.Autosize mah={320} viewportProps={{ tabIndex: 0, "aria-label": `${title}, a table` }}>
      <Table stickyHeader withRowBorders={false} striped captionSide="top" fz="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{xLabel}</Table.Th>
            {series.map(({ name }) => (
              <Table.Th key={name}>{name}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {x.map((at, index) => (
            <Table.Tr key={at}>
              <Table.Th scope="row">{isTime ? formatMoment(at * 1000) : at}</Table.Th>
              {series.map(({ name, values }) => (
                <Table.Td key={name}>{formatValue(values[index] ?? null)}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea.Autosize>
  );
}
