import { endProcessesOf } from "./trainer-leftovers.js";

/** Program that kills each process with a given bootstrap file in its environment, and ends when there is none. */
const wanted = process.argv[2] ?? "";

await endProcessesOf((path) => path === wanted);
