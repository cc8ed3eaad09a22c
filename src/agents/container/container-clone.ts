// Owns the clone that a run works in: made on this machine, put into its volume before the agent's first start, and left there.
import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cloneVolume } from '../../clones/clone-volume.js'
import { type MadeClone, makeClone } from '../../clones/make-clone.js'
import { packTree } from '../../clones/pack-tree.js'
import { workspaceTarget } from '../../config/container-target.js'
import type { MoatPaths } from '../../config/paths.js'
import type { Engine } from '../../engine/engine.js'
import { userInside } from '../../engine/user-inside.js'
import type { VolumeMount } from '../../engine/volumes.js'
import type { AgentPlan } from '../plan/plan-agent.js'
import type { Progress } from '../progress.js'

export interface CloneOptions {
  engine: Pick<Engine, 'files' | 'isRootless' | 'volumes'>
  paths: Pick<MoatPaths, 'home'>
  progress: Progress
  user: { gid: number; uid: number }
}

export class ContainerClone {
  readonly #made: MadeClone | undefined
  readonly #options: CloneOptions
  readonly #isNew: boolean
  readonly mount: VolumeMount

  /** Undefined for a run that works in its workspace. */
  static async prepare(
    plan: Pick<AgentPlan, 'clone' | 'name'>,
    options: CloneOptions,
  ): Promise<ContainerClone | undefined> {
    const { clone, name } = plan
    if (!clone) return undefined
    const { engine, progress } = options
    const { repository } = clone
    const { id, isNew, labels } = await engine.volumes.ensure(cloneVolume(name, repository.commonDir))
    const mount = { id, labels, readOnly: false, target: workspaceTarget }
    try {
      // A volume that a moat was filling when it was killed has nothing of an agent's in it.
      const isEmpty = isNew || (await isHalf(options, id))
      if (isEmpty) await beginFilling(options, id)
      else progress.note(`${name} goes on in the clone that it has; moat push ${name} brings your commits into it.`)
      const made = isEmpty
        ? await progress.step('Cloning the repository', () => makeClone(repository, clone.branch))
        : undefined
      made?.notes.forEach(progress.note)
      return new ContainerClone(options, { isNew, made, mount })
    } catch (error) {
      if (isNew) await removeNew(options, id)
      throw error
    }
  }

  private constructor(
    options: CloneOptions,
    { isNew, made, mount }: { isNew: boolean; made: MadeClone | undefined; mount: VolumeMount },
  ) {
    this.#options = options
    this.#isNew = isNew
    this.#made = made
    this.mount = mount
  }

  /** Into a container that was created and has not run. */
  async fill(containerId: string): Promise<void> {
    if (!this.#made) return
    const { engine, paths, user } = this.#options
    const owner = await userInside(engine, user)
    await engine.files.unpack(containerId, packTree(this.#made.directory, workspaceTarget.slice(1), owner))
    await rm(fillingFile(paths, this.mount.id), { force: true })
  }

  /** What is on this machine. */
  async release(): Promise<void> {
    await this.#made?.remove()
  }

  /** After a start that failed: the volume that it has made, unless another has it by now. */
  async takeBack(): Promise<void> {
    if (this.#isNew) await removeNew(this.#options, this.mount.id)
  }
}

async function removeNew({ engine, paths }: CloneOptions, id: string): Promise<void> {
  const outcome = await engine.volumes.remove(id).catch(() => undefined)
  if (outcome === 'removed') await rm(fillingFile(paths, id), { force: true })
}

/** True for one that a moat began to fill, and did not. */
async function isHalf({ paths }: CloneOptions, id: string): Promise<boolean> {
  return access(fillingFile(paths, id)).then(
    () => true,
    () => false,
  )
}

async function beginFilling({ paths }: CloneOptions, id: string): Promise<void> {
  await mkdir(join(paths.home, 'git'), { mode: 0o700, recursive: true })
  await writeFile(fillingFile(paths, id), '')
}

function fillingFile({ home }: CloneOptions['paths'], id: string): string {
  return join(home, 'git', `${id}.filling`)
}
