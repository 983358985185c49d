import { describe, expect, it } from "vitest";
import { elementCount, floatElements, isFloat, tensorBytes } from "./float-dtype.ts";
import { isScalable, layoutNames, layoutTensors, ownDtype } from "./layouts.ts";

/** Numbers of parameters and of tensors as torchvision and Hugging Face publish them. */
const known = {
  resnet18: { parameters: 11_689_512, tensors: 122 },
  resnet50: { parameters: 25_557_032, tensors: 320 },
  "vit-b16": { parameters: 86_567_656, tensors: 152 },
  "vit-l16": { parameters: 304_326_632, tensors: 296 },
  "bert-base": { parameters: 109_482_240, tensors: 199 },
  "bert-large": { parameters: 335_141_888, tensors: 391 },
  gpt2: { parameters: 124_439_808, tensors: 148 },
  "gpt2-xl": { parameters: 1_557_611_200, tensors: 580 },
  "llama-1b": { parameters: 1_235_814_400, tensors: 146 },
  "llama-3b": { parameters: 3_212_749_824, tensors: 254 },
  "llama-8b": { parameters: 8_030_261_248, tensors: 291 },
} as const;

describe("layouts of models", () => {
  it.each(Object.entries(known))("%s has its published number of parameters and tensors", (name, { parameters, tensors: count }) => {
    const layout = layoutNames.find((each) => each === name) ?? "flat";
    const tensors = layoutTensors(layout, ownDtype(layout), 0);
    const learned = tensors.filter((tensor) => isFloat(tensor) && !/\.running_(mean|var)$/.test(tensor.name));
    expect(learned.reduce((sum, tensor) => sum + elementCount(tensor), 0)).toBe(parameters);
    expect(tensors).toHaveLength(count);
    expect(new Set(tensors.map((tensor) => tensor.name)).size).toBe(count);
  });

  it("are all known", () => {
    expect(layoutNames.filter((name) => !isScalable(name))).toEqual(Object.keys(known));
  });

  it("come in the type that is asked for; counters stay integers", () => {
    const tensors = layoutTensors("resnet50", "bfloat16", 0);
    expect(new Set(tensors.map((tensor) => tensor.dtype))).toEqual(new Set(["BF16", "I64"]));
    expect(tensorBytes(tensors)).toBe(2 * floatElements(tensors) + 53 * 8);
  });
});

it.each(["flat", "160"] as const)("layout %s has exactly as many elements as asked for", (name) => {
  for (const params of [160, 161, 1_000_003]) expect(floatElements(layoutTensors(name, "float32", params))).toBe(params);
});
