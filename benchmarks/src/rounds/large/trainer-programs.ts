/** Languages that a benchmark's trainers can be written in. */
export const trainerLanguages = ["python", "typescript"] as const;

export type TrainerLanguage = (typeof trainerLanguages)[number];

/**
 * Trainers that add the number of their site to every parameter, in place where the language can. Were their updates the same, the server
 * would need the bytes of one only.
 */
export const trainerPrograms: Readonly<Record<TrainerLanguage, { readonly file: string; readonly text: string }>> = {
  python: {
    file: "train.py",
    text: `import flare_client as flare

flare.init()
step = int(flare.get_site_name().split("-")[-1])
while flare.is_running():
    model = flare.receive()
    if model is None:
        break
    for values in model.params.values():
        values += step
    flare.send(flare.FLModel(params=model.params, meta={"NUM_STEPS_CURRENT_ROUND": 1}))
flare.shutdown()
`,
  },
  typescript: {
    file: "train.ts",
    text: `import * as flare from "@flare-ts/runtime/client";

await flare.init();
const step = Number(flare.getSiteName().split("-").at(-1));
while (await flare.isRunning()) {
  const model = await flare.receive();
  if (model === undefined) break;
  for (const { data } of Object.values(model.params)) for (let i = 0; i < data.length; i++) data[i] += step;
  await flare.send(new flare.FLModel({ params: model.params, meta: { NUM_STEPS_CURRENT_ROUND: 1 } }));
}
flare.shutdown();
`,
  },
};
