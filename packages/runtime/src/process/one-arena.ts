/**
 * Environment by which glibc's allocator keeps one pool for all threads of a process instead of one for each: what lies free in pools of
 * Node's own threads, which allocate little, is 2 MB a process.
 */
export const oneArena = Object.freeze({ MALLOC_ARENA_MAX: "1" });
