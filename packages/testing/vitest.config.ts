import { mergeConfig } from "vitest/config";
import shared, { loadBuiltPackages } from "../../vitest.shared.ts";

export default mergeConfig(shared, {
  test: {
    ...loadBuiltPackages,
    // Which files are tests, both have from above; each leaves out what the other has.
    projects: [
      // What happens in a federation happens in processes of its own. The one that looks on runs file after file, with the modules it has.
      { extends: true, test: { name: "federations", exclude: ["src/!(federation|proxies)/**"], isolate: false } },
      { extends: true, test: { name: "parts", exclude: ["src/federation/**", "src/proxies/**"] } },
    ],
  },
});
