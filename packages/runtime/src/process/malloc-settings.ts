/**
 * Environment by which glibc's allocator keeps one pool for all threads of a process instead of one for each: what lies free in pools of
 * Node's own threads, which allocate little, is 2 MB a process.
 */
export const oneArena = Object.freeze({ MALLOC_ARENA_MAX: "1" });

/**
 * Environment by which glibc's allocator takes pieces of 256 KiB and more from the system one by one, and gives them back. On its own it soon
 * takes those of a megabyte, which transfers are made of, from its pool: between small ones that stay, what was freed of a server with 32
 * sites was 150 MB.
 */
export const largePiecesApart = Object.freeze({ MALLOC_MMAP_THRESHOLD_: String(256 * 1024) });
