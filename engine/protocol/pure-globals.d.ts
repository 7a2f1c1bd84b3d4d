// The few globals that Node.js, Electron and browsers all have and the deterministic folders may use.
// They are functions of their arguments: no clock, no randomness, no I/O.

declare class TextEncoder {
  encode(input?: string): Uint8Array;
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: Uint8Array, options?: { stream?: boolean }): string;
}

/** Byte string to base64. */
declare function btoa(data: string): string;
/** Base64 to byte string; forgiving about padding and white space, throws on other characters. */
declare function atob(data: string): string;
