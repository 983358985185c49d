/** What the transport needs of a logger; pino's fits. */
export interface TransportLogger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}
