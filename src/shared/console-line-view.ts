/** A reply line of the console, drawn by its tone. */
export interface ConsoleLine {
  tone: 'value' | 'ok' | 'error' | 'note' | 'table';
  text: string;
}
