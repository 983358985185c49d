import { FlareError } from "@flare-ts/contracts/errors";
import { type ColumnRequest, columnStatistics, type DatasetColumns } from "../statistics/column-statistics.js";
import { siteStatisticsDocument } from "../statistics/site-statistics.js";
import { statisticsTensor } from "../statistics/statistics-file.js";
import type { ClientSession } from "./client-session.js";
import { weightKey } from "./protocol.js";

/**
 * Answers the tasks of a workflow of statistics, by columns of numbers.
 *
 * @param read - called once, with the first task
 * @throws FlareError `client-api/result-invalid` for a task of something else, and what `read` throws
 */
export async function serveStatisticsOf(
  session: Pick<ClientSession, "isRunning" | "receive" | "send" | "taskName">,
  read: () => DatasetColumns | Promise<DatasetColumns>,
): Promise<void> {
  let datasets: DatasetColumns | undefined;
  while (await session.isRunning()) {
    const model = await session.receive();
    if (model === undefined) return;
    const tensor = model.params[statisticsTensor];
    if (!(tensor?.data instanceof Uint8Array)) {
      throw new FlareError(
        "client-api/result-invalid",
        `The task '${session.taskName ?? ""}' is none of statistics: its model has tensors.`,
      );
    }
    datasets ??= await read();
    const request = JSON.parse(new TextDecoder().decode(tensor.data)) as ColumnRequest;
    const answer = siteStatisticsDocument(columnStatistics(datasets, request));
    const data = new TextEncoder().encode(JSON.stringify(answer));
    // As it is: the bytes of a text have no difference to others.
    await session.send({
      params: { [statisticsTensor]: { dtype: "U8", shape: [data.byteLength], data } },
      paramsType: "DIFF",
      meta: { [weightKey]: 1 },
    });
  }
}
