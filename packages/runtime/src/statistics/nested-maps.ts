/** The map at a key, made where there is none. */
export function inner<Key, InnerKey, Value>(map: Map<Key, Map<InnerKey, Value>>, key: Key): Map<InnerKey, Value> {
  const found = map.get(key) ?? new Map<InnerKey, Value>();
  map.set(key, found);
  return found;
}

/** The same in objects, which take any name. */
export function plain(value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries([...value].map(([name, below]) => [name, plain(below)])) : value;
}
