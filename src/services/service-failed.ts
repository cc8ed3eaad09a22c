// Owns what is said of a service that did not become ready: why, and what it wrote last.
import { text } from 'node:stream/consumers'
import type { Engine } from '../engine/engine.js'
import { MoatError } from '../errors.js'
import type { NotReady } from './await-ready.js'
import type { PlannedService } from './plan-services.js'

/** Of its log, so many lines are shown. */
const lastLines = 10
/** Of a line, so much. */
const longestLine = 300

export async function serviceFailed(
  engine: Pick<Engine, 'sessions'>,
  containerId: string,
  { image, name, place }: Pick<PlannedService, 'image' | 'name' | 'place'>,
  why: NotReady,
): Promise<MoatError> {
  const log = await lastWords(engine, containerId).catch(() => [])
  const said = log.length === 0 ? '.' : `; it wrote last:\n${log.map((line) => `  ${line}`).join('\n')}`
  return new MoatError('SERVICE_FAILED', `${place}: the service ${name} (${image}) ${reasonOf(why)}${said}`, {
    suggestions: [
      `docker run --rm ${image}   # shows what the image itself says`,
      `set another version, image or env under services.${name} in moat.yaml`,
    ],
  })
}

function reasonOf(why: NotReady): string {
  if ('exitCode' in why) return `ended with exit code ${why.exitCode} before it was ready`
  if ('problem' in why) return `cannot be reached: ${why.problem}`
  return `was not ready within ${why.waited / 1_000} s`
}

async function lastWords({ sessions }: Pick<Engine, 'sessions'>, containerId: string): Promise<string[]> {
  const { stderr, stdout } = await sessions.logs(containerId, { follow: false, tail: lastLines })
  const pieces = await Promise.all([text(stdout), text(stderr)])
  const lines = pieces.flatMap((piece) => piece.split(/\r?\n/)).filter((line) => line.trim() !== '')
  return lines.slice(-lastLines).map((line) => line.slice(0, longestLine))
}
