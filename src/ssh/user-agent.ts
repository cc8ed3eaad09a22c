// Owns asking an ssh agent of the user's: which keys it has, and for a signature.
import { connect } from 'node:net'
import { type Bind, MessageReader, messages, mostMessage, writeBind } from './agent-messages.js'
import { WireReader, writeMessage, writeNumber, writeString } from './wire.js'

/** Milliseconds. Somebody may have to touch a key, or to answer a question. */
const listDeadline = 5_000
const signDeadline = 90_000

export interface AgentKey {
  /** In Base64. */
  blob: string
  comment: string
}

/** Rejects when nobody answers there. */
export async function listAgentKeys(socketPath: string, deadline = listDeadline): Promise<AgentKey[]> {
  const [answer] = await ask(socketPath, [writeMessage(messages.listIdentities)], deadline)
  const reader = new WireReader(answer ?? Buffer.alloc(0))
  if (reader.byte() !== messages.identities) throw new Error('the agent does not say which keys it has')
  return Array.from({ length: Math.min(reader.number(), 4_096) }, () => {
    return { blob: reader.string().toString('base64'), comment: reader.string().toString() }
  })
}

/**
 * The signature, with its algorithm before it. The agent is told of the session as well: it may have been told to use a key for
 * some hosts only. Rejects when it does not sign.
 */
export async function signByAgent(
  socketPath: string,
  { bind, blob, data, flags }: { bind?: Bind; blob: Buffer; data: Buffer; flags: number },
): Promise<Buffer> {
  const request = writeMessage(messages.sign, writeString(blob), writeString(data), writeNumber(flags))
  const answers = await ask(socketPath, [...(bind ? [writeBind(bind)] : []), request], signDeadline)
  const reader = new WireReader(answers.at(-1) ?? Buffer.alloc(0))
  if (reader.byte() !== messages.signed) throw new Error('your ssh agent does not sign with that key')
  const signature = reader.string()
  reader.end()
  return signature
}

/** One answer for each question, in their order. */
function ask(socketPath: string, questions: readonly Buffer[], deadline: number): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath)
    const reader = new MessageReader(mostMessage)
    const answers: Buffer[] = []
    const timer = setTimeout(() => socket.destroy(new Error('your ssh agent does not answer')), deadline)
    socket.on('error', reject)
    socket.on('close', () => {
      clearTimeout(timer)
      reject(new Error('your ssh agent ended the conversation'))
    })
    socket.on('data', (piece) => {
      try {
        answers.push(...reader.add(piece))
      } catch (error) {
        return void socket.destroy(error as Error)
      }
      if (answers.length < questions.length) return
      socket.destroy()
      resolve(answers)
    })
    for (const question of questions) socket.write(question)
  })
}
