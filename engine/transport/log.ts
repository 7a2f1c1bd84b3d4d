// Where the transport says what happened, for people. A pino logger fits.
export interface TransportLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export const SILENT_LOG: TransportLog = { info: () => {}, warn: () => {} };
