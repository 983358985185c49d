// The process that is measured: a dashboard over a synthetic federation. It is told `measure` and tells what processor time it took.
import process from "node:process";
import { startDashboard } from "@flare-ts/dashboard-api";
import { SyntheticFederation } from "./synthetic-federation.ts";

const [dataFolder = "", sites = "64", jobs = "5", pageFolder] = process.argv.slice(2);
const federation = new SyntheticFederation({ sites: Number(sites), jobs: Number(jobs) });
const running = await startDashboard({ dataFolder, port: 0, security: { kind: "clear" }, pageFolder }, { federation });
let from = process.cpuUsage();
let fromMs = performance.now();
process.on("message", (message) => {
  if (message === "begin") {
    from = process.cpuUsage();
    fromMs = performance.now();
  } else if (message === "end") {
    const { user, system } = process.cpuUsage(from);
    process.send?.({ cpuMs: (user + system) / 1000, wallMs: performance.now() - fromMs, memoryBytes: process.memoryUsage().rss });
  } else if (message === "stop") {
    void running.stop().then(() => process.disconnect());
  }
});
process.send?.({ url: running.url, setUpLink: running.setUpLink });
