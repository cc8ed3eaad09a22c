// Owns what goes wrong with an engine, in plain words: connections that fail and requests it refuses.
import { type ErrorCode, MoatError, messageOf, systemCode } from '../errors.js'

const connectionReasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied (is your user in the docker group?)',
  ECONNREFUSED: 'connection refused: the engine is not running',
  ECONNRESET: 'the engine closed the connection',
  ENOENT: 'no such file',
  ENOTFOUND: 'unknown host',
  EPERM: 'permission denied (is your user in the docker group?)',
  EPIPE: 'the engine closed the connection',
  ETIMEDOUT: 'timed out',
}

/** Why a connection failed, in plain words; undefined for an error that is not the connection's. */
export function connectionReason(error: unknown): string | undefined {
  const code = systemCode(error)
  if (code === undefined) return undefined
  if (code.startsWith('HPE_')) return 'what listens there does not speak HTTP'
  return Object.hasOwn(connectionReasons, code) ? connectionReasons[code] : undefined
}

/** The HTTP status the engine answered with, if `error` is such an answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined
}

/** The engine's own message, without what dockerode puts around it and without a final full stop. */
export function engineMessage(error: unknown): string {
  const json = error instanceof Error && 'json' in error ? error.json : undefined
  const own = json && typeof json === 'object' && 'message' in json ? String(json.message) : undefined
  const text = own ?? messageOf(error).replace(/^\(HTTP code \d+\) [^-]*- /, '')
  return text.trim().replace(/\.$/, '')
}

/** True for a name that another container holds: status 409, from Podman 500 and these words. */
export function isTakenName(error: unknown): boolean {
  const status = statusOf(error)
  return status === 409 || (status === 500 && /container name .+ is already in use/.test(engineMessage(error)))
}

/** The MoatError for an engine that could not `action` (`start the container`, …). */
export function engineError(action: string, error: unknown, address: string): Error {
  if (error instanceof MoatError) return error
  const reason = statusOf(error) === undefined ? connectionReason(error) : undefined
  const [code, message]: [ErrorCode, string] = reason
    ? ['ENGINE_UNREACHABLE', `The container engine at ${address} does not answer: ${reason}.`]
    : ['ENGINE_FAILED', `The container engine could not ${action}: ${engineMessage(error)}.`]
  // Debian's podman only recommends the package.
  const noInit = /init binary|catatonit/.test(message)
  const suggestions = noInit ? ['sudo apt-get install -y catatonit'] : ['docker info']
  return new MoatError(code, message, { cause: error, suggestions })
}

/** The MoatError for an image that could not be pulled. */
export function pullError(image: string, error: unknown): MoatError {
  const reason = (statusOf(error) === undefined && connectionReason(error)) || engineMessage(error)
  return new MoatError('IMAGE_PULL', `The image ${image} could not be pulled: ${reason}.`, {
    cause: error,
    suggestions: [
      `docker pull ${image}`,
      `docker login && docker pull ${image}`,
      'name another image in moat.yaml, e.g. base_image: debian:bookworm-slim',
    ],
  })
}
