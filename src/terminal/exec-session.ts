// Owns `moat exec` while its command runs: its streams and its terminal.
import { collectOutput, streamOutput } from '../agents/stream-output.js'
import type { ExecSession } from '../engine/sessions.js'
import { connectTerminal } from './connect-terminal.js'
import { ExecEnd } from './exec-end.js'

export interface ExecSessionOptions {
  json: boolean
  note: (line: string) => void
  tty: boolean
}

/** What `exec --json` prints. */
export interface ExecResult {
  exitCode: number
  stderr: string
  stdout: string
}

/** Resolves when the command has ended; the texts are there with `json`. */
export async function execSession(
  session: ExecSession,
  { json, note, tty }: ExecSessionOptions,
): Promise<Partial<ExecResult> & Pick<ExecResult, 'exitCode'>> {
  const end = new ExecEnd(session, note)
  const restore = tty ? connectTerminal(session, process.stdin, process.stdout) : () => {}
  // With --json on a terminal nobody is asked to type.
  if (json && process.stdin.isTTY) session.stdin.end()
  else if (!tty) process.stdin.pipe(session.stdin)
  // Whoever typed or piped may go away first.
  for (const stream of [process.stdin, session.stdin]) stream.on('error', () => {})
  const run = async () => {
    const text = json ? await collectOutput(session.output) : {}
    if (!json && (await streamOutput(session.output, process)) === 'gone') end.readerGone()
    return { exitCode: await session.exitCode, ...text }
  }
  try {
    return await Promise.race([run(), end.untold])
  } finally {
    end.release()
    restore()
  }
}
