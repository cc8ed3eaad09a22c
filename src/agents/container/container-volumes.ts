// Owns what a run is given of volumes and of memory in place of directories: made before its container, its own before its start.
import { workspaceTarget } from '../../config/container-target.js'
import type { ContainerSpec, Engine } from '../../engine/engine.js'
import type { VolumeMount } from '../../engine/volumes.js'
import { prepareMountPoints } from '../../volumes/mount-points.js'
import type { AgentPlan } from '../plan/plan-agent.js'
import { type CloneOptions, ContainerClone } from './container-clone.js'

type Plan = Pick<AgentPlan, 'clone' | 'displayFile' | 'mounts' | 'name' | 'tmpfs' | 'volumes' | 'workspace'>

export class ContainerVolumes {
  #clone: ContainerClone | undefined
  readonly #engine: Pick<Engine, 'volumes'>
  readonly #made: string[] = []
  readonly #plan: Plan

  constructor(plan: Plan, engine: Pick<Engine, 'volumes'>) {
    this.#engine = engine
    this.#plan = plan
  }

  /** Makes the clone that the run is to work in, if it is to. */
  async prepare(options: CloneOptions): Promise<void> {
    this.#clone = await ContainerClone.prepare(this.#plan, options)
  }

  /** What the container is created with; volumes that are missing are made. */
  async spec(): Promise<Pick<ContainerSpec, 'tmpfs' | 'volumes'>> {
    const volumes: VolumeMount[] = this.#clone ? [this.#clone.mount] : []
    for (const { name, place, readOnly, target } of this.#plan.volumes) {
      const { id, isNew, labels } = await this.#engine.volumes.ensure({ name, place })
      if (isNew) this.#made.push(id)
      volumes.push({ id, labels, readOnly, target })
    }
    return { ...(this.#plan.tmpfs.length > 0 && { tmpfs: this.#plan.tmpfs }), ...(volumes.length > 0 && { volumes }) }
  }

  /** The directories of the host at which they are mounted, made if need be. */
  mountPoints({ mounts }: Pick<ContainerSpec, 'mounts'>): string[] {
    const { clone, displayFile, tmpfs, volumes, workspace } = this.#plan
    return prepareMountPoints({
      displayFile,
      given: [
        ...(clone ? [] : [{ readOnly: false, source: workspace, target: workspaceTarget }]),
        ...this.#plan.mounts,
      ],
      mounts,
      targets: [...tmpfs, ...volumes.map(({ target }) => target)],
    })
  }

  /** What the container was made with is moat's, and its user's. */
  async install(containerId: string, user: { gid: number; uid: number }): Promise<void> {
    await this.#clone?.fill(containerId)
    // One that was removed meanwhile some engines make anew without labels; from now on none of them can be removed.
    for (const { name, place } of this.#plan.volumes) await this.#engine.volumes.ensure({ name, place })
    const writable = this.#plan.volumes.filter(({ readOnly }) => !readOnly)
    await this.#engine.volumes.own(
      containerId,
      writable.map(({ target }) => target),
      user,
    )
  }

  /** After a start that failed: those that it made, unless another has them by now. */
  async takeBack(): Promise<void> {
    await this.#clone?.takeBack()
    for (const id of this.#made) await this.#engine.volumes.remove(id).catch(() => {})
  }

  /** What was made on this machine for that. */
  async release(): Promise<void> {
    await this.#clone?.release()
  }
}
