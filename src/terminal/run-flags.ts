// Owns the flags of every command that runs an agent, and the request they add up to.
import { Flags } from '@oclif/core'
import type { RunRequest } from '../agents/plan/plan-agent.js'
import { parseEnvFlags } from '../config/env-flag.js'
import type { PolicyMode } from '../egress/policy.js'

/** One value each time: with `multiple` alone the flag would take the path after it for another value. */
const repeatable = { multiple: true, multipleNonGreedy: true } as const

export const runFlags = {
  allow: Flags.string({
    description: 'Let the agent reach a host, before the rules in moat.yaml',
    helpValue: '<rule>',
    ...repeatable,
  }),
  clone: Flags.boolean({
    description: 'Work in a clone of the repository, on the engine, and in nothing of this directory; see moat pull',
  }),
  detach: Flags.boolean({ char: 'd', description: 'Return once the routes are live', exclusive: ['interactive'] }),
  env: Flags.string({
    char: 'e',
    description: 'Set KEY=value in the container, or pass on KEY from here',
    ...repeatable,
  }),
  grant: Flags.string({ description: 'Let it use a grant, besides those in moat.yaml', ...repeatable }),
  interactive: Flags.boolean({ char: 'i', description: 'Give the agent this terminal' }),
  keep: Flags.boolean({ description: 'Keep the container when the agent ends', exclusive: ['rm'] }),
  mount: Flags.string({ description: 'Mount source:target[:ro], besides those in moat.yaml', ...repeatable }),
  name: Flags.string({ char: 'n', description: 'Name of the agent; default: name in moat.yaml, or a generated one' }),
  profile: Flags.string({ description: 'Which of your accounts grants are of; default: MOAT_PROFILE' }),
  rebuild: Flags.boolean({ description: 'Rebuild the image without the cache' }),
  rm: Flags.boolean({ description: 'Remove the container when the agent ends; attached runs always do' }),
  yes: Flags.boolean({ char: 'y', description: 'Allow what moat.yaml asks for without asking' }),
}

export interface RunFlags {
  allow?: string[] | undefined
  clone: boolean
  detach: boolean
  env?: string[] | undefined
  grant?: string[] | undefined
  interactive: boolean
  keep: boolean
  mount?: string[] | undefined
  name?: string | undefined
  profile?: string | undefined
  rebuild: boolean
  rm: boolean
  verbose: boolean
  yes: boolean
}

export function toRunRequest(
  flags: RunFlags,
  path: string,
  command: string[] | undefined,
  defaultPolicy: PolicyMode | undefined,
): RunRequest {
  return {
    allow: flags.allow ?? [],
    ...(defaultPolicy && { defaultPolicy }),
    env: parseEnvFlags(flags.env ?? [], process.env),
    mounts: flags.mount ?? [],
    path,
    ...(flags.clone && { clone: {} }),
    ...(command && { command }),
    ...(flags.grant && { grants: flags.grant }),
    ...(flags.name !== undefined && { name: flags.name }),
    ...(flags.profile !== undefined && { profile: flags.profile }),
  }
}
