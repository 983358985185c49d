import { limits } from "@flare-ts/contracts/errors";

export interface UploadWindowsComponents<Connection> {
  /** Sets the window of a connection, in bytes. */
  readonly setWindow: (connection: Connection, windowBytes: number) => void;
}

export interface UploadWindowsInit {
  /** Window of a connection with one of a few uploads. */
  readonly mostBytes: number;
  /** Of all uploads together. @default limits.uploadWindowsBytes */
  readonly totalBytes?: number;
  /** Window of a connection on which nothing is uploaded, and of one of very many. @default limits.idleWindowBytes */
  readonly leastBytes?: number;
}

/**
 * Divides what may come in without being read between the connections of a server that something is uploaded on: it lies in memory until its
 * turn comes. A few have large windows, which a long line needs to be fast; of many each gets less, and those without an upload the least.
 */
export class UploadWindows<Connection extends object> {
  readonly #setWindow: UploadWindowsComponents<Connection>["setWindow"];
  readonly #mostBytes: number;
  readonly #totalBytes: number;
  readonly #leastBytes: number;
  /** Uploads by connection. */
  readonly #uploads = new Map<Connection, number>();
  readonly #windows = new WeakMap<Connection, number>();

  constructor(components: UploadWindowsComponents<Connection>, init: UploadWindowsInit) {
    this.#setWindow = components.setWindow;
    this.#mostBytes = init.mostBytes;
    this.#totalBytes = init.totalBytes ?? limits.uploadWindowsBytes;
    this.#leastBytes = Math.min(init.leastBytes ?? limits.idleWindowBytes, init.mostBytes);
  }

  /** Gives a new connection the window that it has while nothing is uploaded on it. */
  open(connection: Connection): void {
    this.#set(connection, this.#leastBytes);
  }

  /** An upload begins; the function that is returned ends it. */
  begin(connection: Connection): () => void {
    this.#count(connection, 1);
    let isUnderWay = true;
    return () => {
      if (isUnderWay) this.#count(connection, -1);
      isUnderWay = false;
    };
  }

  #count(connection: Connection, change: 1 | -1): void {
    const uploads = (this.#uploads.get(connection) ?? 0) + change;
    if (uploads > 0) this.#uploads.set(connection, uploads);
    else {
      this.#uploads.delete(connection);
      this.#set(connection, this.#leastBytes);
    }
    const share = this.#share();
    for (const [other, count] of this.#uploads) this.#set(other, Math.min(this.#mostBytes, share * count));
  }

  /** Of one upload: a power of two times the least, so that it does not change with each that comes or goes. */
  #share(): number {
    let all = 0;
    for (const count of this.#uploads.values()) all += count;
    const shares = this.#totalBytes / Math.max(1, all) / this.#leastBytes;
    return this.#leastBytes * 2 ** Math.floor(Math.log2(Math.max(1, shares)));
  }

  #set(connection: Connection, windowBytes: number): void {
    if (this.#windows.get(connection) === windowBytes) return;
    this.#windows.set(connection, windowBytes);
    this.#setWindow(connection, windowBytes);
  }
}
