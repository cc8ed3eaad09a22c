// Owns the judgement of what may be signed: a login at a host of a grant, in the very session that this host has begun, or, where
// the user has said so, a commit. Nothing else, whatever it looks like. Pure.
import type { SshAccess, SshKey } from './access.js'
import { algorithmsOf } from './public-key.js'
import { WireReader } from './wire.js'

/** A session that a host has proved to be its own. */
export interface BoundSession {
  /** In Base64. */
  hostKey: string
  id: Buffer
}

export interface SignatureRequest {
  /** The key that is to sign. */
  blob: Buffer
  data: Buffer
  /** Which hash RSA is to use. */
  flags: number
}

export type SignatureVerdict =
  | { access: SshAccess; key: SshKey; purpose: 'commit' | 'login' }
  /** Why nothing is signed, as the end of a sentence. */
  | { refused: string }

const userAuthRequest = 50
const rsaFlags: Readonly<Record<string, number>> = { 'rsa-sha2-256': 2, 'rsa-sha2-512': 4 }
/** What signatures of files begin with; as a length it would be longer than any message. */
const signatureOfFile = Buffer.from('SSHSIG')

export function judgeSignature(
  request: SignatureRequest,
  accesses: readonly SshAccess[],
  session: BoundSession | undefined,
): SignatureVerdict {
  const blob = request.blob.toString('base64')
  const having = accesses.flatMap((access) => {
    const key = access.keys.find((one) => one.blob === blob)
    return key ? [{ access, key }] : []
  })
  if (having.length === 0) return { refused: 'no grant is for that key' }
  if (request.data.subarray(0, signatureOfFile.length).equals(signatureOfFile)) {
    const signing = having.find(({ access }) => access.signs)
    if (!signing) return { refused: 'the grant is not for signing commits' }
    return isCommit(request) ? { ...signing, purpose: 'commit' } : { refused: 'it is no signature of git' }
  }
  if (!session) return { refused: 'its ssh does not say for which host it is: OpenSSH does from 8.9 on' }
  const there = having.find(({ access }) => access.hostKeys.includes(session.hostKey))
  if (!there) return { refused: 'that key is not for this host' }
  return isLogin(request, session) ? { ...there, purpose: 'login' } : { refused: 'it is no login of that session' }
}

/** RFC 4252, section 7, to the last byte; also in OpenSSH's form that names the host's key once more. */
function isLogin({ blob, data, flags }: SignatureRequest, { hostKey, id }: BoundSession): boolean {
  try {
    const reader = new WireReader(data)
    if (!reader.string().equals(id)) return false
    if (reader.byte() !== userAuthRequest) return false
    // Whose account it is, is for the host to say.
    reader.string()
    if (reader.text() !== 'ssh-connection') return false
    const method = reader.text()
    const isBound = method === 'publickey-hostbound-v00@openssh.com'
    if (method !== 'publickey' && !isBound) return false
    if (!reader.boolean()) return false
    const algorithm = reader.text()
    if (!algorithmsOf(blob).includes(algorithm) || flags !== (rsaFlags[algorithm] ?? 0)) return false
    if (!reader.string().equals(blob)) return false
    if (isBound && reader.string().toString('base64') !== hostKey) return false
    reader.end()
    return true
  } catch {
    return false
  }
}

/** OpenSSH's PROTOCOL.sshsig: a namespace, so that a signature for one use is none for another. */
function isCommit({ blob, data, flags }: SignatureRequest): boolean {
  try {
    const reader = new WireReader(data)
    reader.take(signatureOfFile.length)
    if (reader.text() !== 'git' || reader.string().length > 0) return false
    const hash = reader.text()
    const size = reader.string().length
    reader.end()
    const isRsa = algorithmsOf(blob).some((algorithm) => algorithm in rsaFlags)
    const isFlagged = isRsa ? flags === 2 || flags === 4 : flags === 0
    return isFlagged && ((hash === 'sha512' && size === 64) || (hash === 'sha256' && size === 32))
  } catch {
    return false
  }
}
