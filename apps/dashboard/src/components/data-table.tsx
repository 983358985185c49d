import type { ReactNode } from "react";
import classes from "./data-table.module.css";
import { ScrollFrame } from "./scroll-frame.js";

/** A column: its title and what stands in it for a row. */
export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => ReactNode;
  /** Whether it is at the right, as figures and actions are. @default false */
  readonly isRight?: boolean;
  /** Whether what stands in it is not broken into lines, as moments and figures with units. Columns at the right never are. @default false */
  readonly isOneLine?: boolean;
  /** Whether the title is for those who hear the page only. @default false */
  readonly isTitleHidden?: boolean;
}

export interface DataTableProps<T> {
  /** What the table lists. */
  readonly label: string;
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  readonly columns: readonly Column<T>[];
}

/** Rows and columns, scrolled sideways where they find no room; on a phone each row becomes a card with its titles beside the values. */
export function DataTable<T>({ label, rows, keyOf, columns }: DataTableProps<T>) {
  // The roles say again what the elements are: a table that is laid out as cards would lose them.
  return (
    <ScrollFrame label={label}>
      <table className={classes["table"]} aria-label={label} role="table">
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ title, isRight, isTitleHidden }) => (
              <th key={title} role="columnheader" scope="col" className={isRight === true ? classes["right"] : undefined}>
                <span className={isTitleHidden === true ? classes["heard"] : undefined}>{title}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={keyOf(row)} role="row">
              {columns.map(({ title, cell, isRight, isOneLine, isTitleHidden }) => (
                <td
                  key={title}
                  role="cell"
                  className={isRight === true ? classes["right"] : isOneLine === true ? classes["oneLine"] : undefined}
                  data-title={isTitleHidden === true ? "" : title}
                >
                  <div>{cell(row)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollFrame>
  );
}
