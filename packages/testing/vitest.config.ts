import { mergeConfig } from "vitest/config";
import shared from "../../vitest.shared.ts";

const federations = ["src/federation/**/*.test.ts", "src/proxies/**/*.test.ts"];
const { include = [] } = shared.test ?? {};

export default mergeConfig(shared, {
  test: {
    // Built packages are loaded as any program loads them, not module by module through vitest.
    server: { deps: { external: [/\/packages\/[\w-]+\/dist\//] } },
    projects: [
      // What happens in a federation happens in processes of its own. The one that looks on runs file after file, with the modules it has.
      { extends: true, test: { name: "federations", include: federations, isolate: false } },
      { extends: true, test: { name: "parts", include, exclude: federations } },
    ],
  },
});
