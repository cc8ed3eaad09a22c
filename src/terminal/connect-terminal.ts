// Owns joining a person's terminal to a program in a container, and giving the terminal back as it was.
import type { ReadStream, WriteStream } from 'node:tty'
import type { TerminalSize } from '../engine/sessions.js'

export interface TerminalSession {
  resize(size: TerminalSize): Promise<void>
  stdin: NodeJS.WritableStream
}

/** Connects keyboard and window size; the returned function restores the terminal. Call it whatever happens. */
export function connectTerminal(session: TerminalSession, input: ReadStream, output: WriteStream): () => void {
  const resize = () => {
    // A program that has just ended has no terminal to resize.
    session.resize({ columns: output.columns, rows: output.rows }).catch(() => {})
  }
  input.setRawMode?.(true)
  input.pipe(session.stdin)
  output.on('resize', resize)
  resize()
  return () => {
    output.off('resize', resize)
    input.unpipe(session.stdin)
    input.setRawMode?.(false)
    input.pause()
  }
}
