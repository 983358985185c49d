import { homedir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { tfjsGpuFolder, tfjsGpuFolders } from "./tfjs-gpu-folders.js";

it.each([
  ["in the home folder", { HOME: "/home/a" }, "/home/a/.local/share/flare-ts/tfjs-gpu"],
  ["in the user's folder for data", { HOME: "/home/a", XDG_DATA_HOME: "/data" }, "/data/flare-ts/tfjs-gpu"],
  [
    "in the home folder where that for data is relative, as the specification says",
    { HOME: "/home/a", XDG_DATA_HOME: "data" },
    "/home/a/.local/share/flare-ts/tfjs-gpu",
  ],
  ["where the variable says, from the working folder", { HOME: "/home/a", FLARE_TFJS_GPU_DIR: "gpu" }, "/work/gpu"],
  ["in the home folder that the system tells", {}, join(homedir(), ".local/share/flare-ts/tfjs-gpu")],
])("is %s", (_, env, folder) => {
  expect(tfjsGpuFolder(env, "/work")).toBe(folder);
  expect(tfjsGpuFolders(env, "/work")).toEqual([folder, "/work"]);
});
