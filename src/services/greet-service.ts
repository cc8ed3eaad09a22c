// Owns asking a server whether it is ready, in its own language: that it takes connections says little while it starts.
import { connect } from 'node:net'
import type { Language } from './catalogue.js'

/** How long one question may take. Milliseconds. */
const patience = 2_000

interface Question {
  /** True when what has been received so far is the answer of one that is ready; false of one that is not; undefined for more. */
  judge(received: Buffer): boolean | undefined
  /** Nothing for one that speaks first. */
  send: Buffer
}

const questions: Readonly<Record<Language, Question>> = {
  memcached: { judge: begins('VERSION'), send: Buffer.from('version\r\n') },
  // What it is asked is in its own encoding; an answer to it is one, whatever it says.
  mongodb: { judge: (received) => (received.length >= 16 ? true : undefined), send: mongoHello() },
  // A packet's head, and the version of the protocol; 255 is an error, as when it knows no host yet.
  mysql: { judge: (received) => (received.length > 4 ? received[4] === 10 : undefined), send: Buffer.alloc(0) },
  // R asks for the password; E says why not, which may be that it is still starting (57P03), or stops.
  postgres: {
    judge: (received) => {
      if (received.length === 0) return undefined
      return received[0] === 0x52 || (received[0] === 0x45 && !received.includes('57P0'))
    },
    send: postgresStart(),
  },
  // Without the password it says that it wants one, and while it loads its data, that.
  redis: {
    judge: (received) => (received.length > 4 ? /^(\+PONG|-NOAUTH)/.test(received.toString('latin1')) : undefined),
    send: Buffer.from('PING\r\n'),
  },
}

/** True when the server at the socket is ready. Resolves in any case, soon. */
export function greetService(path: string, language: Language): Promise<boolean> {
  const { judge, send } = questions[language]
  return new Promise((resolve) => {
    const socket = connect({ path })
    let received = Buffer.alloc(0)
    const timer = setTimeout(() => finish(false), patience)
    const finish = (answer: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => {
      if (send.length > 0) socket.write(send)
    })
    socket.on('data', (piece: Buffer) => {
      received = Buffer.concat([received, piece])
      const answer = judge(received)
      if (answer !== undefined) finish(answer)
    })
    socket.once('end', () => finish(false))
    socket.once('error', () => finish(false))
  })
}

function begins(text: string): Question['judge'] {
  return (received) => {
    if (received.length < text.length) return undefined
    return received.toString('latin1').startsWith(text)
  }
}

/** The start of a session, of a user that there need not be. */
function postgresStart(): Buffer {
  const words = Buffer.from('user\0postgres\0database\0postgres\0\0')
  const head = Buffer.alloc(8)
  head.writeInt32BE(head.length + words.length, 0)
  head.writeInt32BE(196_608, 4)
  return Buffer.concat([head, words])
}

/** OP_MSG with {hello: 1, $db: "admin"}, as the shortest BSON. */
function mongoHello(): Buffer {
  const hello = Buffer.concat([Buffer.from('\x10hello\0'), Buffer.from([1, 0, 0, 0])])
  const database = Buffer.concat([Buffer.from('\x02$db\0'), Buffer.from([6, 0, 0, 0]), Buffer.from('admin\0')])
  const body = Buffer.concat([hello, database, Buffer.from([0])])
  const document = Buffer.concat([int32(body.length + 4), body])
  const message = Buffer.concat([int32(1), int32(0), int32(2013), int32(0), Buffer.from([0]), document])
  return Buffer.concat([int32(message.length + 4), message])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}
