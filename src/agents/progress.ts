// Owns how domain code reports what takes time, whatever shows it.
export interface Progress {
  /** A line of its own. */
  note(line: string): void
  /** Runs `action` as a named step; `update` shows how far it is. */
  step<T>(title: string, action: (update: (text: string) => void) => Promise<T>): Promise<T>
}
