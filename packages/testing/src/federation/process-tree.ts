export { descendantsOf, type ProcessEntry, processesWith } from "@flare-ts/chaos";
