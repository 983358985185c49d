import type { ContentHash } from "@flare-ts/contracts";
import type { JobEvent } from "../job/job-event.js";

/**
 * What a workflow needs in which sites do not wait for each other, told from the journal: the models that sites are at work on, and updates
 * that are in no model yet, with what they were made from. What is not needed any more is kept until the round after the next has opened: a
 * model that a site has just answered may yet become the best one.
 */
export class BasesInUse {
  /** The task of each site that is at work. */
  readonly #tasks = new Map<string, Task>();
  /** By site and round. */
  readonly #updates = new Map<string, Task & { readonly update: ContentHash }>();
  #last: readonly ContentHash[] = [];
  #lastButOne: readonly ContentHash[] = [];

  /** Takes an event of such a workflow in. */
  note(event: JobEvent): void {
    switch (event.type) {
      case "round-opened": {
        const { round, model, sites, buffered } = event;
        this.#dropOlderThan(buffered?.oldestBase ?? round);
        for (const site of sites) this.#tasks.set(site, { round, model: model.hash });
        this.#lastButOne = this.#last;
        this.#last = this.#now();
        return;
      }
      case "task-assigned":
        for (const site of event.sites) this.#tasks.set(site, { round: event.round, model: event.model.hash });
        return;
      case "update-accepted": {
        const { site, round, update } = event;
        const task = this.#tasks.get(site);
        if (task?.round !== round) return;
        this.#tasks.delete(site);
        this.#updates.set(keyOf(event), { ...task, update: update.hash });
        return;
      }
      case "task-failed":
        if (this.#tasks.get(event.site)?.round === event.round) this.#tasks.delete(event.site);
        this.#updates.delete(keyOf(event));
        return;
      case "site-left":
        this.#tasks.delete(event.site);
        return;
      case "round-closed":
        for (const update of event.updates ?? []) this.#updates.delete(keyOf(update));
        return;
      case "best-model":
      case "deadline-passed":
      case "job-ended":
      case "job-started":
      case "job-submitted":
      case "process-restarted":
      case "round-receipt":
      case "site-connected":
      case "site-disconnected":
      case "step-answered":
      case "step-opened":
      case "workflow-ended":
      default:
        return;
    }
  }

  /** Nobody is at work any more. */
  end(): void {
    this.#tasks.clear();
    this.#updates.clear();
    this.#last = [];
    this.#lastButOne = [];
  }

  hashes(): readonly ContentHash[] {
    return [...this.#now(), ...this.#last, ...this.#lastButOne];
  }

  #now(): readonly ContentHash[] {
    const updates = [...this.#updates.values()].flatMap(({ model, update }) => [model, update]);
    return [...[...this.#tasks.values()].map(({ model }) => model), ...updates];
  }

  #dropOlderThan(oldest: number): void {
    for (const kept of [this.#tasks, this.#updates]) for (const [key, { round }] of kept) if (round < oldest) kept.delete(key);
  }
}

interface Task {
  readonly round: number;
  readonly model: ContentHash;
}

function keyOf({ site, round }: { readonly site: string; readonly round: number }): string {
  return `${round} ${site}`;
}
