import type { PlannedFault } from "../faults/fault.js";
import type { ChaosParticipant } from "../federation/chaos-federation.js";
import { type Injected, injected } from "./injected.js";

/** Keeps the disk full, or makes the writes of Node fail where there is no disk to fill. */
export async function fillDisk({ service, disk, shim }: ChaosParticipant, during: Promise<void>, lasted: string): Promise<Injected> {
  if (disk !== undefined) {
    await disk.fill(during);
    return injected(`file system of ${service.name} ${lasted}`);
  }
  shim.order({ isDiskFull: true });
  try {
    await during;
  } finally {
    shim.order({ isDiskFull: false });
  }
  return injected(`writes of ${service.name} through node:fs, not those of its database, ${lasted}`);
}

/** Moves the clock, and moves it back. */
export async function moveClock(
  { service, shim }: ChaosParticipant,
  fault: PlannedFault,
  during: Promise<void>,
  lasted: string,
): Promise<Injected> {
  shim.order({ clockOffsetMs: fault.clockMs });
  try {
    await during;
  } finally {
    shim.order({ clockOffsetMs: 0 });
  }
  return injected(`${service.name} by ${fault.clockMs > 0 ? "+" : "-"}1 h ${lasted}`);
}
