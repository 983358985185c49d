/** Compiled code. */
export type WasmModule = object;

/** Memory that several threads see. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer;
  /** Adds pages of 64 KiB. @throws RangeError where there are none */
  grow(pages: number): number;
}

/** The part of WebAssembly's JavaScript interface that is used here; its types otherwise come with those of browsers only. */
export interface WebAssemblyApi {
  readonly Memory: new (limits: { readonly initial: number; readonly maximum: number; readonly shared: true }) => WasmMemory;
  readonly Instance: new (
    module: WasmModule,
    imports: { readonly env: { readonly memory: WasmMemory } },
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  validate(bytes: Uint8Array): boolean;
  compile(bytes: Uint8Array): Promise<WasmModule>;
}

/** What the process has; nothing with Node's `--jitless`. */
export function webAssembly(): WebAssemblyApi | undefined {
  return (globalThis as { readonly WebAssembly?: WebAssemblyApi }).WebAssembly;
}
