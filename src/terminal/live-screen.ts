// Owns a screen that is drawn again and again, and leaves the terminal as it was.
import type { ReadStream, WriteStream } from 'node:tty'
import type { ScreenSize } from './format-live-status.js'

const esc = '\u001b'
const enter = `${esc}[?1049h${esc}[?25l`
const leave = `${esc}[?25h${esc}[?1049l`
const home = `${esc}[H`
const clearToEnd = `${esc}[J`
const clearLine = `${esc}[K`

export interface LiveScreen {
  /** Gives the terminal back. */
  close(): void
  /** Draws, and again when the window changes its size. */
  draw(lines: (size: ScreenSize) => string[]): void
}

/** `onQuit` is called when q is pressed, or Ctrl+C: in raw mode that is a key like any other. */
export function openLiveScreen(input: ReadStream, output: WriteStream, onQuit: () => void): LiveScreen {
  let current: ((size: ScreenSize) => string[]) | undefined
  const paint = () => {
    if (!current) return
    const lines = current({ columns: output.columns, rows: output.rows })
    output.write(home + lines.map((line) => line + clearLine).join('\n') + clearToEnd)
  }
  const onKey = (key: Buffer) => {
    if (['q', '\u0003', '\u0004'].includes(key.toString())) onQuit()
  }
  output.write(enter)
  output.on('resize', paint)
  input.setRawMode?.(true)
  input.on('data', onKey)
  return {
    close: () => {
      output.off('resize', paint)
      input.off('data', onKey)
      input.setRawMode?.(false)
      input.pause()
      output.write(leave)
    },
    draw: (lines) => {
      current = lines
      paint()
    },
  }
}
