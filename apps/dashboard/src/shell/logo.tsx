/** The mark: a server and three sites. */
export function Logo({ size = 26 }: { readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#1d5fbd" />
      <g fill="none" stroke="#fff" strokeWidth="2.2" strokeLinecap="round">
        <path d="M16 16 8.5 9M16 16l8-6.5M16 16l1 9" />
      </g>
      <circle cx="16" cy="16" r="4" fill="#fff" />
      <circle cx="8" cy="8.5" r="2.6" fill="#9cc4ff" />
      <circle cx="24.5" cy="9" r="2.6" fill="#9cc4ff" />
      <circle cx="17.2" cy="25.2" r="2.6" fill="#9cc4ff" />
    </svg>
  );
}
