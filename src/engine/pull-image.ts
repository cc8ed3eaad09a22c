// Owns pulling an image through the Docker API, and what the engine says meanwhile.
import type { Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { PullProgress } from './engine.js'
import { pullError } from './engine-errors.js'
import { jsonLines } from './json-lines.js'

/** What an engine reports while it pulls, one JSON value a line. */
interface PullLine {
  error?: string
  errorDetail?: { message?: string }
  id?: string
  progressDetail?: { current?: number; total?: number }
  status?: string
}

/** Rejects with IMAGE_PULL, or as `signal` says when that ended it. */
export async function pullImage(
  docker: Docker,
  image: string,
  onProgress: (progress: PullProgress) => void,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const stream = await docker.pull(image, { ...(signal && { abortSignal: signal }) })
    for await (const value of jsonLines(stream as unknown as Readable)) {
      const { error, errorDetail, id, progressDetail, status } = value as PullLine
      const problem = errorDetail?.message ?? error
      if (problem !== undefined) throw new Error(problem)
      if (status === undefined) continue
      const { current, total } = progressDetail ?? {}
      onProgress({
        status,
        ...(id !== undefined && { layer: id }),
        ...(current !== undefined && { current }),
        ...(total !== undefined && { total }),
      })
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw pullError(image, error)
  }
}
