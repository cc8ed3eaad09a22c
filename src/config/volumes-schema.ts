// Owns the schema of `volumes:` in moat.yaml.
import { z } from 'zod'
import { coverProblem, normalTarget } from './container-target.js'
import { needed } from './needed.js'
import { collectionError, leaf, text } from './schema-parts.js'

/** A volume as declared. */
export interface DeclaredVolume {
  name: string
  readOnly: boolean
  /** Who has the same one: agents of this workspace, or of all worktrees of its repository. */
  scope: VolumeScope
  /** Absolute path in the container. */
  target: string
}

export type VolumeScope = 'repository' | 'workspace'

/** Each is a directory that the engine keeps until somebody removes it. */
const mostVolumes = 32
/** With what moat puts around it, well below what a label of an engine's name may have. */
const namePattern = /^[a-z0-9][a-z0-9_-]{0,62}$/

const name = needed(() =>
  leaf<string>('lowercase letters, digits, "-" and "_", such as "node-modules"', (value) => {
    return typeof value === 'string' && namePattern.test(value)
  }),
)

const target = needed(() =>
  text().superRefine((value, context) => {
    const message = typeof value === 'string' && value !== '' ? coverProblem(value) : undefined
    if (message !== undefined) context.addIssue({ code: 'custom', message: message.replace(/^has the target /, 'is ') })
  }),
)

const flag = needed(() => leaf<boolean>('true or false', (value) => typeof value === 'boolean'))

const volume = needed(() =>
  z
    .strictObject(
      {
        name: name(),
        readonly: flag().optional(),
        scope: leaf<VolumeScope>('workspace or repository', (value) => {
          return value === 'workspace' || value === 'repository'
        }).optional(),
        target: target(),
        // Of the Go program: where a volume lay. Here the engine keeps each.
        type: leaf<'bind' | 'volume'>('volume', (value) => value === 'bind' || value === 'volume').optional(),
      },
      {
        error: collectionError('a mapping such as {name: node-modules, target: /workspace/node_modules}', (input) =>
          typeof input === 'string' ? '; a directory of this machine stands under "mounts"' : '',
        ),
      },
    )
    .transform(
      ({ name, readonly = false, scope = 'workspace', target }): DeclaredVolume => ({
        name,
        readOnly: readonly,
        scope,
        target: typeof target === 'string' ? normalTarget(target) : target,
      }),
    ),
)

const example = 'a list such as [{name: node-modules, target: /workspace/node_modules}]'

export const volumes = needed(() =>
  z.array(volume(), { error: collectionError(example) }).superRefine((all, context) => {
    const fail = (index: number, message: string) => context.addIssue({ code: 'custom', message, path: [index] })
    if (all.length > mostVolumes) fail(mostVolumes, `is one too many: an agent has at most ${mostVolumes}`)
    // What is no volume, and has been named as that, is among them.
    for (const key of ['name', 'target'] as const) {
      const values: unknown[] = all.map((one: DeclaredVolume | null | undefined) => one?.[key])
      for (const [index, value] of values.entries()) {
        const first = value === undefined ? index : values.indexOf(value)
        if (first < index) fail(index, `has the ${key} ${JSON.stringify(value)}, as "volumes[${first}]" has`)
      }
    }
  }),
)

/** Keys of one, for `did you mean`. */
export const volumeKeys = ['name', 'target', 'readonly', 'scope']
