import { inFlight } from "../session/in-flight.js";
import type { WorkSlot, WorkSlots } from "./work-slots.js";

/** Works on items in slots, a few at once, and gives the results in order; a result's slot is lent until the next is asked for. */
export function inSlots<Item, Result extends { readonly slot: WorkSlot }>(
  slots: WorkSlots,
  items: Iterable<Item>,
  work: (item: Item, slot: WorkSlot) => Promise<Result>,
): AsyncGenerator<Result> {
  return inFlight({
    items,
    count: slots.count,
    start: async (item: Item) => {
      const slot = await slots.take();
      try {
        return await work(item, slot);
      } catch (cause) {
        slots.giveBack(slot);
        throw cause;
      }
    },
    release: ({ slot }) => slots.giveBack(slot),
  });
}
