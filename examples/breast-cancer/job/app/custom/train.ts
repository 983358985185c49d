import * as flare from "@flare-ts/runtime/client";
import { fromParams, toParams } from "./model.ts";
import { runRound, siteRows } from "./round.ts";
import { readTable } from "./table.ts";

// The operator of each hospital says in local/resources.json where the data set `wdbc` lies; the rows never leave this process.
await flare.init();
const { siteName, datasets } = flare.systemInfo();
const table = datasets["wdbc"];
if (table === undefined) throw new Error(`${siteName} offers no data set 'wdbc'; add it to datasets in local/resources.json`);
const rows = siteRows(readTable(table));

while (await flare.isRunning()) {
  const received = await flare.receive();
  if (received === undefined) break;
  const { model, score } = runRound(fromParams(received.params), rows, received.currentRound ?? 0, siteName);
  flare.log("loss", score.loss);
  flare.log("accuracy", score.accuracy);
  await flare.send({
    params: toParams(model),
    metrics: { loss: score.loss, accuracy: score.accuracy },
    meta: { NUM_STEPS_CURRENT_ROUND: rows.training.length },
  });
}
