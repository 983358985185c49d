import { describe, expect, it } from "vitest";
import { readDocument } from "../documents/read-document.js";
import type { FlareError } from "../errors/flare-error.js";
import {
  appConfigWarnings,
  clientConfigSchema,
  compileClientConfig,
  compileServerConfig,
  runsCommand,
  serverConfigSchema,
} from "./app-config.js";

const job = { jobId: "0b7f0a0e-4c0e-4a3c-9a55-6f7f5d1f6f10", sites: ["site-1", "site-2"], minClients: 2 };
const handler = {
  id: "dh_psi",
  path: "nvflare.app_opt.psi.dh_psi.dh_psi_task_handler.DhPSITaskHandler",
  args: { local_psi_id: "local_psi" },
};
const writer = {
  id: "psi_writer",
  path: "nvflare.app_common.psi.file_psi_writer.FilePSIWriter",
  args: { output_path: "psi/found.txt" },
};
const table = { id: "local_psi", path: "CsvItems", args: { dataset: "patients", column: "id", psi_writer_id: "psi_writer" } };
const own = { id: "local_psi", path: "local_psi.LocalPSI", args: { psi_writer_id: "psi_writer", id_col: "x" } };

function server(args: Readonly<Record<string, unknown>>, more: readonly unknown[] = []) {
  const path = "nvflare.app_common.psi.dh_psi.dh_psi_controller.DhPSIController";
  const text = JSON.stringify({ format_version: 2, workflows: [{ id: "psi", path, args }, ...more] });
  return readDocument({ text, file: "config_fed_server.json", schema: serverConfigSchema, code: "job/invalid" });
}

function client(components: readonly unknown[], args: Readonly<Record<string, unknown>> = { psi_algo_id: "dh_psi" }) {
  const executor = { id: "Executor", path: "nvflare.app_common.psi.psi_executor.PSIExecutor", args };
  const text = JSON.stringify({ format_version: 2, executors: [{ tasks: ["PSI"], executor }], components });
  return readDocument({ text, file: "config_fed_client.json", schema: clientConfigSchema, code: "job/invalid" });
}

/** Mistakes of what is read, as a person is told them. */
function problemsOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    return (error as FlareError).problems.map(({ message, path }) => `${path ?? ""} ${message}`).join("\n");
  }
  return "";
}

describe("a workflow of a private set intersection", () => {
  it("is written as in FLARE, needs no model, and says what has no effect", () => {
    const document = server({ bloom_filter_fpr: 1e-11, timeout: 60 });
    const { workflows, initialModel } = compileServerConfig(document.value, job);
    expect(initialModel).toBeUndefined();
    expect(workflows).toEqual([{ id: "psi", settings: { kind: "Psi", taskName: "PSI", timeoutMs: 60_000 } }]);
    expect(appConfigWarnings(document).map(({ message }) => message)).toEqual([expect.stringContaining("'bloom_filter_fpr'")]);
  });

  it("leaves the first model to what comes after it", () => {
    const train = (args: object) => [{ id: "train", path: "FedAvg", args }];
    expect(compileServerConfig(server({}, train({ initial_model: "m.safetensors" })).value, job).initialModel).toBe("m.safetensors");
    expect(problemsOf(() => server({}, train({})))).toMatch(/workflows\[1\]\.args\.initial_model is missing/);
    expect(problemsOf(() => server({ initial_model: "m.safetensors" }))).toMatch(/needs no model; remove it/);
    expect(problemsOf(() => server({ min_clients: 2 }))).toMatch(/all sites that the job starts with take part/);
    expect(problemsOf(() => server({ time_out: 2 }))).toMatch(/did you mean 'timeout'/);
  });
});

describe("a site's part in it", () => {
  it("has the identifiers in a table, or in a class that is code of the job", () => {
    const csv = client([handler, table, writer]).value;
    expect(compileClientConfig(csv).executors[0]?.executor.launch).toEqual({
      kind: "psi",
      items: { kind: "csv", dataset: "patients", column: "id", delimiter: ",", outputPath: "psi/found.txt" },
    });
    expect(runsCommand(csv)).toBe(false);
    const python = client([handler, own, writer]).value;
    expect(compileClientConfig(python).executors[0]?.executor.launch).toEqual({
      kind: "psi",
      items: { kind: "class", made: { path: "local_psi.LocalPSI", args: own.args }, writers: { psi_writer: "psi/found.txt" } },
    });
    expect(runsCommand(python)).toBe(true);
    const unnamed = client([handler, { ...table, args: { dataset: "patients", column: "id", delimiter: ";" } }]).value;
    expect(compileClientConfig(unnamed).executors[0]?.executor.launch).toMatchObject({
      items: { delimiter: ";", outputPath: "psi/intersection.txt" },
    });
  });

  it.each<[string, readonly unknown[], RegExp]>([
    ["no algorithm", [own, writer], /executors\[0\]\.executor\.args\.psi_algo_id no component has the id 'dh_psi'/],
    ["an algorithm that is none", [{ ...own, id: "dh_psi" }], /psi_algo_id 'dh_psi' is not a DhPSITaskHandler/],
    ["no identifiers", [handler, writer], /components\[0\]\.args\.local_psi_id no component has the id 'local_psi'/],
    ["a writer for identifiers", [handler, { ...writer, id: "local_psi" }], /local_psi_id 'local_psi' is not CsvItems, and no class/],
    ["no writer", [handler, table], /components\[1\]\.args\.psi_writer_id no component has the id 'psi_writer'/],
    ["a component that nobody names", [handler, table, writer, { ...writer, id: "other" }], /components\[3\]\.path is of no use/],
    ["a path that leads out", [handler, table, { ...writer, args: { output_path: "../x" } }], /components\[2\]\.args\.output_path/],
    ["a delimiter of two", [handler, { ...table, args: { dataset: "d", column: "c", delimiter: ";;" } }], /must be one character/],
    ["a slip", [handler, { ...table, args: { dataset: "d", colum: "c" } }, writer], /did you mean 'column'/],
  ])("is refused with %s", (_, components, message) => {
    expect(problemsOf(() => client(components))).toMatch(message);
  });
});
