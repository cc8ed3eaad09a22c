// Owns the socket of one agent at which its ssh finds what it takes for an ssh agent. Which socket it is says whose it is.
import { createServer, type Server, type Socket } from 'node:net'
import { messageOf } from '../errors.js'
import type { SshAccess } from './access.js'
import { failure, MessageReader } from './agent-messages.js'
import { AgentSession, type SignatureTask } from './agent-session.js'

/** Of one agent. */
const mostConnections = 32
/** Bytes. What logs in and what names a commit is far shorter. */
const mostMessage = 32 * 1024
/** Messages of one connection that wait for their answers: ssh asks one after the other. */
const mostWaiting = 16

export interface AgentServerOptions {
  accesses(): Promise<readonly SshAccess[]>
  /** What was refused, and what went wrong: for the user's log. */
  log(line: string): void
  sign(task: SignatureTask): Promise<Buffer>
}

export interface AgentServer {
  close(): void
  server: Server
}

/** The caller has it listen. */
export function createAgentServer({ accesses, log, sign }: AgentServerOptions): AgentServer {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    if (sockets.size >= mostConnections) return void socket.destroy()
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    const session = new AgentSession({ accesses, refused: (reason) => log(`nothing was signed: ${reason}`), sign })
    converse(socket, session, log)
    return undefined
  })
  const close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { close, server }
}

/** One after the other, in the order they came. */
function converse(socket: Socket, session: AgentSession, log: (line: string) => void): void {
  const reader = new MessageReader(mostMessage)
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  const answer = async (message: Buffer) => {
    const answered = await session.answer(message).catch((error: unknown) => {
      log(messageOf(error))
      return failure
    })
    waiting -= 1
    if (!socket.destroyed) socket.write(answered)
  }
  socket.on('data', (piece) => {
    try {
      for (const message of reader.add(piece)) {
        waiting += 1
        if (waiting > mostWaiting) return void socket.destroy()
        last = last.then(() => answer(message))
      }
    } catch {
      socket.destroy()
    }
    return undefined
  })
}
