// Owns building an image through the Docker API: the context that is sent, and what the engine says meanwhile.
import type { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { BuildFailedError, type ImageBuild } from './engine.js'
import { engineError } from './engine-errors.js'
import { jsonLines } from './json-lines.js'

/** What an engine reports while it builds, one JSON value a line. */
interface BuildLine {
  error?: string
  errorDetail?: { message?: string }
  stream?: string
}

/** The text the engine writes during the build. Throws BuildFailedError; ENGINE_FAILED when nothing can be built. */
export async function* buildImage(
  docker: Docker,
  { buildArgs, dockerfile, noCache, tag }: ImageBuild,
  { address, signal }: { address: string; signal: AbortSignal },
): AsyncGenerator<string, void> {
  const { pack } = await import('tar-stream')
  const context = pack()
  context.entry({ name: 'Dockerfile' }, dockerfile)
  context.finalize()
  try {
    const options = { abortSignal: signal, buildargs: buildArgs, forcerm: true, nocache: noCache, rm: true, t: tag }
    const stream = await docker.buildImage(context, options)
    for await (const value of jsonLines(stream as unknown as Readable)) {
      const { error, errorDetail, stream: text } = value as BuildLine
      const problem = errorDetail?.message ?? error
      if (problem !== undefined) throw new BuildFailedError(problem)
      if (text !== undefined) yield text
    }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof BuildFailedError) throw error
    throw engineError('build the image', error, address)
  }
}
