import { readdir } from "node:fs/promises";
import process from "node:process";
import { expect, it } from "vitest";
import { provideSoftwareGpu } from "./provide-software-gpu.js";

const isThere = process.platform === "linux" && process.arch === "x64";

it.each(isThere ? ["driver"] : [])("the software %s is unpacked once, whoever asks for it, and this process is pointed to it", async () => {
  const [first, ...others] = await Promise.all([provideSoftwareGpu(), provideSoftwareGpu(), provideSoftwareGpu()]);
  expect(others).toEqual([first, first]);
  const folder = first.kind === "ready" ? first.folder : first.reason;
  expect((await readdir(folder)).sort()).toEqual(["libvk_swiftshader.so", "libvulkan.so.1", "vk_swiftshader_icd.json"]);
  expect(process.env.VK_ICD_FILENAMES).toBe(`${folder}/vk_swiftshader_icd.json`);
  expect(process.env.LD_LIBRARY_PATH?.split(":").filter((each) => each === folder)).toEqual([folder]);
});

it.each(isThere ? [] : [process.platform])("the system %s is named where there is no software driver for it", async (platform) => {
  expect(await provideSoftwareGpu()).toMatchObject({ kind: "missing", reason: expect.stringContaining(platform) });
});
