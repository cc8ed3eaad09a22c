// Owns whether a stream leads to a terminal on which the cursor can be moved.

/** Terminals that only write on, as editors have them. */
const typewriters = ['', 'dumb', 'emacs-color']

export interface TerminalStream {
  columns?: number
  isTTY?: boolean
}

/** True where what is written can be drawn over. Windows knows no TERM; a width of 0 is that of a terminal nobody sees. */
export function isDrawable(
  { columns, isTTY }: TerminalStream,
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): boolean {
  if (!isTTY || columns === 0) return false
  return platform === 'win32' ? env.TERM !== 'dumb' : !typewriters.includes(env.TERM ?? '')
}

/** The same for what moves by itself: nobody looks at the terminal of a CI, whose log keeps every step of it. */
export function isLively(
  stream: TerminalStream,
  env: NodeJS.ProcessEnv = process.env,
  platform = process.platform,
): boolean {
  return isDrawable(stream, env, platform) && ['', '0', 'false'].includes((env.CI ?? '').toLowerCase())
}
