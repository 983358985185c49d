/**
 * A WebAssembly module that moves memory as fast as vector instructions can, so that what limits it is the machine. Its memory is
 * imported as `env.memory`. It exports
 *
 * - `read(at, bytes)`: reads all bytes in one stream,
 * - `readFour(at, bytes)`: the same in four streams, each over a quarter: one stream waits for its cache misses one after the other,
 *   which cost half of the bandwidth on some machines (13 against 25 GB/s),
 * - `copy(to, from, bytes)`,
 * - `triad(a, b, c, bytes)`: a = b + 0.5 c in float32.
 *
 * Bytes are multiples of 256. The reading functions return a hash of what they read.
 *
 * @see McCalpin, "STREAM: Sustainable Memory Bandwidth in High Performance Computers", for the triad
 */
export function bandwidthModule(): Uint8Array {
  const functions = [
    { name: "read", type: 0, code: readCode(1) },
    { name: "readFour", type: 0, code: readCode(4) },
    { name: "copy", type: 1, code: copyCode() },
    { name: "triad", type: 2, code: triadCode() },
  ];
  const types = [
    [0x60, ...vector([[i32], [i32]]), ...vector([[i32]])],
    [0x60, ...vector([[i32], [i32], [i32]]), 0],
    [0x60, ...vector([[i32], [i32], [i32], [i32]]), 0],
  ];
  const sharedMemory = [0x02, 0x03, ...unsigned(1), ...unsigned(65_536)];
  const magicAndVersion = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  return Uint8Array.from([
    ...magicAndVersion,
    ...section(1, vector(types)),
    ...section(2, vector([[...text("env"), ...text("memory"), ...sharedMemory]])),
    ...section(3, vector(functions.map(({ type }) => [type]))),
    ...section(7, vector(functions.map(({ name }, i) => [...text(name), 0x00, i]))),
    ...section(10, vector(functions.map(({ code }) => [...unsigned(code.length), ...code]))),
  ]);
}

type Code = readonly number[];

const i32 = 0x7f;
const v128 = 0x7b;
/** Bytes of a stream that a turn of a loop moves: a cache line. */
const line = 64;
const lanes = [0, 16, 32, 48];

/** Parameters are locals 0 (at) and 1 (bytes); then come a pointer for each stream, the end of the first, and four hashes. */
function readCode(streams: number): Code {
  const pointers = Array.from({ length: streams }, (_, i) => 2 + i);
  const end = 2 + streams;
  const hash = (lane: number): number => end + 1 + lane / 16;
  const xor = [0xfd, ...unsigned(81)];
  const extractLane = [0xfd, 27, 0];
  const mix = (pointer: number, lane: number): Code => joined(getLocal(hash(lane)), load(pointer, lane), xor, setLocal(hash(lane)));
  return body(
    [
      [streams + 1, i32],
      [lanes.length, v128],
    ],
    joined(getLocal(1), constant(streams), divide, setLocal(1)),
    ...pointers.map((pointer, i) => joined(getLocal(0), getLocal(1), constant(i), multiply, add, setLocal(pointer))),
    joined(getLocal(0), getLocal(1), add, setLocal(end)),
    loopUntil(
      end,
      2,
      pointers.flatMap((pointer) => lanes.flatMap((lane) => mix(pointer, lane))),
      pointers,
    ),
    ...lanes.map((lane) => joined(getLocal(hash(lane)), lane === 0 ? [] : xor)),
    extractLane,
  );
}

/** Parameters are locals 0 (to), 1 (from) and 2 (bytes); 3 is the end. */
function copyCode(): Code {
  return body(
    [[1, i32]],
    joined(getLocal(0), getLocal(2), add, setLocal(3)),
    loopUntil(
      3,
      0,
      lanes.flatMap((lane) => joined(getLocal(0), load(1, lane), store(lane))),
      [0, 1],
    ),
  );
}

/** Parameters are locals 0, 1, 2 (a, b, c) and 3 (bytes); 4 is the end. */
function triadCode(): Code {
  const half = [0x43, 0x00, 0x00, 0x00, 0x3f];
  const splat = [0xfd, 19];
  const multiplyLanes = [0xfd, ...unsigned(230)];
  const addLanes = [0xfd, ...unsigned(228)];
  const sum = (lane: number): Code => joined(load(1, lane), load(2, lane), half, splat, multiplyLanes, addLanes);
  return body(
    [[1, i32]],
    joined(getLocal(0), getLocal(3), add, setLocal(4)),
    loopUntil(
      4,
      0,
      lanes.flatMap((lane) => joined(getLocal(0), sum(lane), store(lane))),
      [0, 1, 2],
    ),
  );
}

/** Runs code, and moves pointers on by a line, until the pointer in a local is no longer below the one in another. */
function loopUntil(end: number, pointer: number, code: Code, pointers: readonly number[]): Code {
  const moveOn = pointers.flatMap((each) => joined(getLocal(each), constant(line), add, setLocal(each)));
  const [block, empty, isLess, branchIf, blockEnd] = [0x03, 0x40, 0x49, 0x0d, 0x0b];
  return [block, empty, ...code, ...moveOn, ...getLocal(pointer), ...getLocal(end), isLess, branchIf, 0, blockEnd];
}

const add: Code = [0x6a];
const multiply: Code = [0x6c];
const divide: Code = [0x6e];

function joined(...parts: readonly Code[]): Code {
  return parts.flat();
}

function getLocal(index: number): Code {
  return [0x20, ...unsigned(index)];
}

function setLocal(index: number): Code {
  return [0x21, ...unsigned(index)];
}

function constant(value: number): Code {
  // One more bit than the value has, because it is read as a signed number.
  return [0x41, ...(value < 64 ? [value] : [(value & 0x7f) | 0x80, value >> 7])];
}

/** The 16 bytes at a pointer and so many further on. */
function load(pointer: number, offset: number): Code {
  return [...getLocal(pointer), 0xfd, 0, 0, ...unsigned(offset)];
}

function store(offset: number): Code {
  return [0xfd, 11, 0, ...unsigned(offset)];
}

function body(locals: readonly (readonly [count: number, type: number])[], ...code: readonly Code[]): Code {
  return joined(vector(locals.map(([count, type]) => [...unsigned(count), type])), ...code, [0x0b]);
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function text(value: string): Code {
  return [...unsigned(value.length), ...new TextEncoder().encode(value)];
}

/** LEB128, as everywhere in the format. */
function unsigned(value: number): Code {
  return value < 128 ? [value] : [(value % 128) | 128, ...unsigned(Math.floor(value / 128))];
}
