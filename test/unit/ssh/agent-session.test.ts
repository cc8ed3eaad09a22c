// Owns what is signed for an agent's ssh, and what is not. The container may send whatever it likes.
import { beforeEach, describe, expect, it } from 'vitest'
import type { SshAccess } from '../../../src/ssh/access.js'
import { type Bind, bindExtension, messages } from '../../../src/ssh/agent-messages.js'
import { AgentSession, type SignatureTask } from '../../../src/ssh/agent-session.js'
import { WireReader, writeNumber, writeString } from '../../../src/ssh/wire.js'
import { ecdsaKey, ed25519Key, list, rsaKey } from '../../helpers/ssh-keys.js'

const [mine, other, third, rsa] = [ed25519Key(), ed25519Key(), ed25519Key(), rsaKey()]
const [github, gitlab, unknown] = [ed25519Key(), ecdsaKey(), ed25519Key()]
const id = Buffer.from('the hash of an exchange')

let accesses: SshAccess[]
let refused: string[]
let signed: SignatureTask[]
let session: AgentSession
let whileAsked: () => void
beforeEach(() => {
  whileAsked = () => {}
  accesses = [
    access('github.com', [github.text], [mine.text, rsa.text]),
    access('gitlab.com', [gitlab.text], [other.text]),
  ]
  refused = []
  signed = []
  session = newSession()
})

function access(host: string, hostKeys: string[], keys: string[], more: Partial<SshAccess> = {}): SshAccess {
  return { host, hostKeys, keys: keys.map((blob) => ({ blob })), port: 22, ...more }
}

function newSession(): AgentSession {
  return new AgentSession({
    accesses: async () => accesses,
    refused: (reason) => refused.push(reason),
    sign: async (task) => {
      signed.push(task)
      whileAsked()
      return Buffer.from('signature')
    },
  })
}

const say = async (type: number, ...parts: Buffer[]) => session.answer(Buffer.concat([Buffer.from([type]), ...parts]))
const typeOf = (answer: Buffer) => answer[4]

async function bind(key = github, changes: Partial<Bind> = {}): Promise<number | undefined> {
  const bound = { hostKey: key.blob, isForwarded: false, sessionId: id, signature: key.sign(id), ...changes }
  const parts = [bindExtension, bound.hostKey, bound.sessionId, bound.signature].map(writeString)
  return typeOf(await say(messages.extension, ...parts, Buffer.from([bound.isForwarded ? 1 : 0])))
}

interface Login {
  algorithm?: string
  flags?: number
  hostKey?: Buffer
  kind?: number
  method?: string
  rest?: Buffer
  said?: Buffer
  service?: string
  sessionId?: Buffer
  signedFlag?: number
}

/** The data of a login by `key`, with something amiss. */
function login(key = mine, changes: Login = {}): Buffer {
  const { algorithm = 'ssh-ed25519', kind = 50, method = 'publickey', service = 'ssh-connection' } = changes
  const { hostKey, rest = Buffer.alloc(0), said = key.blob, sessionId = id, signedFlag = 1 } = changes
  const head = [writeString(sessionId), Buffer.from([kind]), list('git', service, method), Buffer.from([signedFlag])]
  return Buffer.concat([...head, list(algorithm, said), ...(hostKey ? [writeString(hostKey)] : []), rest])
}

async function sign(key = mine, data = login(key), flags = 0): Promise<boolean> {
  const answer = await say(messages.sign, writeString(key.blob), writeString(data), writeNumber(flags))
  const isSigned = typeOf(answer) === messages.signed
  expect(isSigned || typeOf(answer) === messages.failure).toBe(true)
  return isSigned
}

async function listed(): Promise<string[]> {
  const reader = new WireReader((await say(messages.listIdentities)).subarray(4))
  reader.byte()
  return Array.from({ length: reader.number() }, () => [reader.string().toString('base64'), reader.text()].at(0) ?? '')
}

it('a login at a host of a grant is signed, with its session told to the user’s agent', async () => {
  expect(await bind()).toBe(messages.success)
  expect(await sign()).toBe(true)
  expect(signed[0]).toMatchObject({ access: { host: 'github.com' }, bind: { sessionId: id }, purpose: 'login' })
  const bound = { hostKey: github.blob, method: 'publickey-hostbound-v00@openssh.com' }
  expect(await sign(mine, login(mine, bound))).toBe(true)
  // Of RSA the hash is one of two, the one that was named.
  expect(await sign(rsa, login(rsa, { algorithm: 'rsa-sha2-512' }), 4)).toBe(true)
  expect(await sign(rsa, login(rsa, { algorithm: 'rsa-sha2-256' }), 2)).toBe(true)
  expect(refused).toEqual([])
})

it('offers the keys of the host, and before it is known which that is, of all', async () => {
  expect(await listed()).toEqual([mine.text, rsa.text, other.text])
  await bind(gitlab)
  expect(await listed()).toEqual([other.text])
})

describe('nothing is signed', () => {
  it('without a session', async () => {
    expect(await sign()).toBe(false)
    expect(refused[0]).toMatch(/does not say for which host/)
  })

  it('for a host that is none of a grant, or that has another key than known_hosts says', async () => {
    expect(await bind(unknown)).toBe(messages.failure)
    expect(await sign()).toBe(false)
    expect(await listed()).toEqual([])
    // Nor once it has tried another.
    expect(await bind()).toBe(messages.success)
    expect(await sign()).toBe(false)
  })

  it.each([
    ['that the host has not begun', { signature: unknown.sign(id) }],
    ['of another host', { sessionId: Buffer.from('another') }],
    ['that is empty', { sessionId: Buffer.alloc(0), signature: github.sign(Buffer.alloc(0)) }],
    ['that is forwarded', { isForwarded: true }],
  ])('in a session %s', async (_, changes) => {
    expect(await bind(github, changes)).toBe(messages.failure)
    expect(await sign()).toBe(false)
    expect(signed).toEqual([])
  })

  it('in a second session of the same conversation', async () => {
    await bind()
    expect(await bind()).toBe(messages.success)
    expect(await bind(gitlab)).toBe(messages.failure)
    expect(await sign(other)).toBe(false)
    expect(await sign()).toBe(false)
  })

  it('with a key of another host, or of none', async () => {
    await bind()
    expect(await sign(other)).toBe(false)
    expect(await sign(third)).toBe(false)
    expect(refused).toEqual(['that key is not for this host', 'no grant is for that key'])
  })

  it('once the grant is revoked', async () => {
    await bind()
    accesses = []
    expect(await sign()).toBe(false)
    expect(await listed()).toEqual([])
  })

  it('once the grant was revoked while the user was asked', async () => {
    await bind()
    whileAsked = () => {
      accesses = []
    }
    expect(await sign()).toBe(false)
    expect(signed).toHaveLength(1)
  })

  const wrong: [string, Login, number?][] = [
    ['of another session', { sessionId: Buffer.from('another') }],
    ['of another kind of message', { kind: 51 }],
    ['for another service', { service: 'ssh-userauth' }],
    ['by another method', { method: 'hostbased' }],
    ['that only asks', { signedFlag: 0 }],
    ['with yes in another form', { signedFlag: 2 }],
    ['by an algorithm of another type', { algorithm: 'rsa-sha2-512' }],
    ['with a key that is not the one that signs', { said: other.blob }],
    ['with something after it', { rest: Buffer.from([0]) }],
    ['with a host’s key where none belongs', { hostKey: github.blob }],
    ['bound to another host', { hostKey: gitlab.blob, method: 'publickey-hostbound-v00@openssh.com' }],
    ['bound to no host', { method: 'publickey-hostbound-v00@openssh.com' }],
    ['with flags that are for others', {}, 2],
  ]
  it.each(wrong)('for a login %s', async (_, changes, flags) => {
    await bind()
    expect(await sign(mine, login(mine, changes), flags)).toBe(false)
    expect(signed).toEqual([])
  })

  it('by SHA-1, or with another hash than is named', async () => {
    await bind()
    expect(await sign(rsa, login(rsa, { algorithm: 'ssh-rsa' }))).toBe(false)
    expect(await sign(rsa, login(rsa, { algorithm: 'rsa-sha2-512' }))).toBe(false)
    expect(await sign(rsa, login(rsa, { algorithm: 'rsa-sha2-512' }), 2)).toBe(false)
  })

  it('for anything else that is cut off, or other bytes', async () => {
    await bind()
    const data = login()
    for (let length = 0; length < data.length; length += 1)
      expect(await sign(mine, data.subarray(0, length))).toBe(false)
    expect(await sign(mine, Buffer.from('a text'))).toBe(false)
  })
})

describe('a commit', () => {
  const commit = (namespace = 'git', hash = 'sha512', size = 64, reserved = '') =>
    Buffer.concat([Buffer.from('SSHSIG'), list(namespace, reserved, hash, Buffer.alloc(size))])

  it('is signed when the user has said so, and nothing else that a file’s signature may be for', async () => {
    expect(await sign(mine, commit())).toBe(false)
    accesses = [access('github.com', [github.text], [mine.text, rsa.text], { signs: true })]
    expect(await sign(mine, commit())).toBe(true)
    expect(signed[0]).toMatchObject({ purpose: 'commit' })
    expect(signed[0]?.bind).toBeUndefined()
    expect(await sign(mine, commit('file'))).toBe(false)
    expect(await sign(mine, commit('git', 'sha512', 32))).toBe(false)
    expect(await sign(mine, commit('git', 'sha1', 20))).toBe(false)
    expect(await sign(mine, commit('git', 'sha512', 64, 'x'))).toBe(false)
    expect(await sign(mine, Buffer.concat([commit(), Buffer.alloc(1)]))).toBe(false)
    expect(await sign(rsa, commit())).toBe(false)
    expect(await sign(rsa, commit(), 4)).toBe(true)
  })
})

it('takes no keys, gives none up, and is not locked', async () => {
  for (const type of [17, 18, 19, 20, 21, 22, 23, 25, 26, 1, 0, 255]) {
    expect(typeOf(await say(type, writeString('x')))).toBe(messages.failure)
  }
  expect(typeOf(await say(messages.extension, writeString('query')))).toBe(messages.extensionFailure)
  expect(typeOf(await session.answer(Buffer.alloc(0)))).toBe(messages.failure)
  expect(typeOf(await say(messages.sign))).toBe(messages.failure)
  expect(typeOf(await say(messages.extension))).toBe(messages.failure)
  expect(typeOf(await say(messages.extension, writeString(bindExtension), Buffer.from([1])))).toBe(messages.failure)
})
