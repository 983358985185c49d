import type { ObjectRef } from "../store/model-store.js";

/** What makes the models of rounds out of others, and others out of them, where they are not the same. */
export interface ModelDress {
  /** The model that the first round begins with, of the one that the workflow starts from. */
  forSites(model: ObjectRef): Promise<ObjectRef>;
  /** The model that is kept, of one that a round began with or has made. */
  forKeeping(model: ObjectRef): Promise<ObjectRef>;
  /** Stops what runs. */
  discard(): void;
}
