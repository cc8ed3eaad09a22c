// Owns having the image an agent runs in: building it if it is more than an image that already exists.
import { agentHome } from '../../engine/container-request.js'
import type { Engine, PullProgress } from '../../engine/engine.js'
import { userInside } from '../../engine/user-inside.js'
import { buildSteps } from '../../images/build-steps.js'
import { type ImagePlan, needsBuild, sourceImages } from '../../images/plan-image.js'
import { type HostUser, imageTag, toDockerfile, toLayers } from '../../images/to-dockerfile.js'
import type { Progress } from '../progress.js'

export interface PrepareOptions {
  progress: Progress
  /** Build anew, whatever the engine has. */
  rebuild: boolean
  signal: AbortSignal
  /** The host user that the agent runs as. */
  user: HostUser
}

export interface PreparedImage {
  /** The home directory the image has for the agent's user; absent if it has none. */
  home?: string
  image: string
}

/** An unchanged plan is built once, by its tag: asking for it again costs one request. */
export async function prepareImage(engine: Engine, plan: ImagePlan, options: PrepareOptions): Promise<PreparedImage> {
  const { progress, rebuild, signal } = options
  if (!needsBuild(plan)) {
    await ensureImage(engine, plan.base, progress, signal)
    return { image: plan.base }
  }
  const user = await userInside(engine, options.user)
  const tag = imageTag(toDockerfile(plan, user))
  const prepared = { image: tag, ...(user.uid !== 0 && { home: agentHome }) }
  if (!rebuild && (await engine.hasImage(tag))) return prepared
  for (const image of sourceImages(plan)) await ensureImage(engine, image, progress, signal)
  const { labels } = await engine.files.describeImage(plan.base)
  await showBuild(buildSteps(engine, { layers: toLayers(plan, user, labels), rebuild, signal, tag }), progress)
  return prepared
}

/** Runs a build with one step of `progress` for each of its own. */
async function showBuild(events: ReturnType<typeof buildSteps>, progress: Progress): Promise<void> {
  let event = await events.next()
  while (!event.done) {
    const title = 'step' in event.value ? event.value.step : event.value.line
    event = await progress.step(title, async (update) => {
      for (;;) {
        const next = await events.next()
        if (next.done || 'step' in next.value) return next
        update(next.value.line)
      }
    })
  }
}

/** Pulls the image unless the engine has it. */
export async function ensureImage(
  engine: Engine,
  image: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  if (await engine.hasImage(image)) return
  await progress.step(`Pulling ${image}`, async (update) => {
    const layers = new Map<string, PullProgress>()
    await engine.pull(
      image,
      (line) => {
        if (line.layer) layers.set(line.layer, line)
        update(describePull(layers, line))
      },
      signal,
    )
  })
}

function describePull(layers: ReadonlyMap<string, PullProgress>, latest: PullProgress): string {
  let current = 0
  let total = 0
  for (const layer of layers.values()) {
    current += layer.current ?? 0
    total += layer.total ?? 0
  }
  if (total === 0) return latest.status
  return `${megabytes(current)} of ${megabytes(total)} MB`
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1)
}
