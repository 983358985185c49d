/** Makes what it is asked for once for each key: inputs and what follows from them alone are the same for all strategies and engines. */
export function onceEach<Value>(): (key: string, make: () => Value) => Value {
  const kept = new Map<string, Value>();
  return (key, make) => {
    const value = kept.get(key) ?? make();
    kept.set(key, value);
    return value;
  };
}
