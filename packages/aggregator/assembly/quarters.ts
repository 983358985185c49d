/**
 * Elements of each of four places that are worked on at the same time, a multiple of four; fewer than four for each are left over.
 * Places that are whole pages of 4096 bytes apart would share few places of the first cache with each other and with the sums, and
 * loads would wait for stores that only look like theirs (2 to 5 times the time on Zen 3): such a quarter is 16 elements shorter.
 */
@inline
export function quarterOf(count: usize): usize {
  const quarter = (count >> 2) & ~3;
  return quarter > 0 && (quarter & 511) == 0 ? quarter - 16 : quarter;
}
