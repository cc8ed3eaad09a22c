// Owns a first connection to a server in a container, to find out whether it speaks what its endpoint says. Nothing that is sent
// is a request of which an app would know, unless the server leaves no other way.
import { connect, type NetConnectOpts } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { systemCode } from '../errors.js'
import { type Expected, type Greeting, judgeSpoken, spoken } from '../routing/greeting.js'

export interface GreetOptions {
  /** Asked before a server is sent a request, the last resort: false where it must not be. */
  mayAsk?: () => boolean
  patience?: Patience
  /** Keeps a connection for a while where the target finds nobody. */
  patient?: NetConnectOpts
}

/** How long a server that speaks first may take, one to say something to no request, and any with an answer. Milliseconds. */
export interface Patience {
  answer: number
  first: number
  reply: number
}

const usualPatience: Patience = { answer: 1_500, first: 200, reply: 300 }

/** RFC 9112, 2.2: a server passes over empty lines before a request. Enough for a TLS server to see that it is no handshake. */
const emptyLines = '\r\n'.repeat(6)
const question = 'HEAD / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: moat\r\nConnection: close\r\n\r\n'
/** The beginning of HTTP/2, and an empty SETTINGS frame. */
const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
])

/** What a server does with what it is sent: it says something, ends the connection, or waits. */
type Reaction = 'ends' | 'unreached' | 'waits' | Buffer

/**
 * Undefined when it is not reached at all, or what it speaks cannot be told. Where a container's forwarder is in between, `target`
 * waits for nobody, so `patient` is needed to tell a server that ends connections from none.
 */
export async function greetServer(
  target: NetConnectOpts,
  expected: Expected,
  options: GreetOptions = {},
): Promise<Greeting | undefined> {
  const { patience = usualPatience, patient } = options
  const first = await react(target, '', patience.first)
  if (first === 'unreached') return undefined
  if (first === 'ends') {
    const finds = patient ? await react(patient, '', patience.first) : 'ends'
    return { kind: finds === 'ends' ? 'closes' : 'unreached' }
  }
  if (first !== 'waits') return judgeSpoken(spoken(first), expected)
  if (expected === 'https') {
    const hands = await shakeHands(target, patience.answer)
    if (hands !== 'neither') return { kind: hands === 'tls' ? 'proper' : 'plain' }
    return ask(target, expected, options)
  }
  const reaction = await react(target, expected === 'h2c' ? preface : emptyLines, patience.reply)
  if (reaction instanceof Buffer) return judgeSpoken(spoken(reaction), expected)
  if (reaction === 'waits') return expected === 'http' ? { kind: 'proper' } : undefined
  return ask(target, expected, options)
}

/** The last resort: a server that ends connections at what is no request is sent one. */
async function ask(
  target: NetConnectOpts,
  expected: Expected,
  { mayAsk, patience = usualPatience }: GreetOptions,
): Promise<Greeting | undefined> {
  if (mayAsk?.() === false) return undefined
  const reaction = await react(target, question, patience.answer)
  if (reaction instanceof Buffer) return judgeSpoken(spoken(reaction), expected)
  if (reaction !== 'ends') return undefined
  return (await shakeHands(target, patience.answer)) === 'tls' ? judgeSpoken('tls', expected) : { kind: 'closes' }
}

function react(target: NetConnectOpts, sent: Buffer | string, timeout: number): Promise<Reaction> {
  return new Promise((resolve) => {
    const socket = connect(target)
    let connected = false
    const timer = setTimeout(() => finish(connected ? 'waits' : 'unreached'), timeout)
    const finish = (reaction: Reaction) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(reaction)
    }
    socket.once('connect', () => {
      connected = true
      if (sent.length > 0) socket.write(sent)
    })
    socket.once('data', finish)
    socket.once('end', () => finish('ends'))
    // One that is reset at once may never be said to have been made.
    socket.once('error', (error) => finish(connected || systemCode(error) === 'ECONNRESET' ? 'ends' : 'unreached'))
  })
}

/** `plain`: it answers, but not with TLS. */
function shakeHands(target: NetConnectOpts, timeout: number): Promise<'neither' | 'plain' | 'tls'> {
  return new Promise((resolve) => {
    const socket = connectTls({ ...target, rejectUnauthorized: false, servername: 'localhost' })
    const timer = setTimeout(() => finish('neither'), timeout)
    const finish = (answer: 'neither' | 'plain' | 'tls') => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    socket.once('secureConnect', () => finish('tls'))
    socket.once('error', (error) => {
      const code = String(systemCode(error))
      // An alert is TLS too: the server wants another name, or a certificate of who asks.
      finish(
        /^ERR_SSL_(WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG)$/.test(code)
          ? 'plain'
          : /ALERT/.test(code)
            ? 'tls'
            : 'neither',
      )
    })
    socket.once('close', () => finish('neither'))
  })
}
