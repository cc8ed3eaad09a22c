// Owns checking what plugins say of coding agents in the hook `moat:agent-programs`, and finding the one that a command is of.
import { posix } from 'node:path'
import { z } from 'zod'
import { coverProblem, isAtOrBelow, workspaceTarget } from '../config/container-target.js'
import { exitCodes, MoatError } from '../errors.js'
import { isDnsLabel } from '../routing/dns-label.js'
import { isGrantName } from '../routing/grant-name.js'
import type { AgentProgram } from './contract.js'

const words = z.string().min(1)
const path = words.refine((text) => posix.isAbsolute(text) && posix.normalize(text) === text && !text.endsWith('/'), {
  error: 'must be a plain absolute path in the container',
})
const directory = path.superRefine((text, context) => {
  const problem = coverProblem(text)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})
const list = z.array(words)
const variableName = /^[A-Za-z_]\w*$/

const seed = z
  .object({ linkTo: path.optional(), path, text: z.string().optional() })
  .refine(({ linkTo, text }) => (linkTo === undefined) !== (text === undefined), { error: 'has a text or a linkTo' })

const homeFile = words.refine(
  (text) => /^~\/[^/]/.test(text) && posix.normalize(text) === text && !text.endsWith('/'),
  {
    error: 'must be the plain path of a file such as ~/.mine/login.json',
  },
)

const schema = z
  .looseObject({
    command: z.custom<AgentProgram['command']>((value) => typeof value === 'function', 'must be a function'),
    contextFile: path.optional(),
    dependencies: list,
    env: z.record(z.string().regex(variableName), z.string()).optional(),
    grants: z.array(z.string().refine(isGrantName, 'must be the name of a grant')),
    hosts: list.optional(),
    hostLogin: z
      .object({ from: homeFile, keys: list.min(1), to: path, variable: z.string().regex(variableName).optional() })
      .optional(),
    login: z.object({ command: list.min(1), file: path }).optional(),
    name: z.string().refine(isDnsLabel, 'must be a DNS label'),
    seeds: z.array(seed).optional(),
    state: z.array(z.object({ directory, scope: z.enum(['profile', 'repository']) })).max(8),
    title: words,
  })
  .superRefine(({ contextFile, hostLogin, login, seeds = [], state }, context) => {
    const fail = (message: string) => context.addIssue({ code: 'custom', message })
    const kept = (file: string) => state.some(({ directory: at }) => isAtOrBelow(at, file) && at !== file)
    for (const { directory: at } of state) {
      // On the way to one further down, the engine would make directories that are root's.
      const outer = state.find(
        ({ directory: other }) => other !== at && isAtOrBelow(other, at) && isFar(other, at, state),
      )
      if (outer) fail(`has ${at}, which does not lie directly in ${outer.directory}`)
    }
    if (new Set(state.map(({ directory: at }) => at)).size < state.length) fail('has a directory of state twice')
    const shared = [workspaceTarget, ...state.map(({ directory: at }) => at)]
    if (contextFile !== undefined && shared.some((at) => isAtOrBelow(at, contextFile)))
      fail(`has the contextFile ${contextFile}, which others than this run would read`)
    for (const file of [...seeds.map((one) => one.path), ...(login ? [login.file] : [])])
      if (!kept(file)) fail(`has the file ${file}, which lies in no directory of its state`)
    if (!hostLogin) return
    // Directly: whatever lies below may be a link that an agent has made, out of the state.
    const ofProfile = state.some(
      ({ directory: at, scope }) => scope === 'profile' && at === posix.dirname(hostLogin.to),
    )
    if (!ofProfile)
      fail(`copies a login to ${hostLogin.to}, which lies directly in no directory of its state of a profile`)
    if (login && login.file !== hostLogin.to)
      fail(`copies a login to ${hostLogin.to}, and looks for one at ${login.file}`)
  })

function isFar(outer: string, inner: string, state: readonly { directory: string }[]): boolean {
  const parent = posix.dirname(inner)
  return parent !== outer && !state.some(({ directory: at }) => at === parent)
}

/** What one plugin returned. */
interface Answer {
  plugin: string
  result: unknown
}

/** The program of that name. Throws PLUGIN_FAILED. */
export function findProgram(answers: readonly Answer[], name: string): AgentProgram {
  const found = answers.flatMap(({ plugin, result }) => checked(plugin, result).map((program) => ({ plugin, program })))
  const [first, second] = found.filter(({ program }) => program.name === name)
  if (!first) {
    const suggestions = ['moat plugins', 'moat help']
    throw new MoatError('PLUGIN_FAILED', `No plugin says how ${name} is run.`, { exit: exitCodes.usage, suggestions })
  }
  if (second) {
    const message = `Both ${first.plugin} and ${second.plugin} say how ${name} is run.`
    const suggestions = [first.plugin, second.plugin].map((plugin) => `moat plugins uninstall ${plugin}`)
    throw new MoatError('PLUGIN_FAILED', message, { exit: exitCodes.usage, suggestions })
  }
  return first.program
}

function checked(plugin: string, result: unknown): AgentProgram[] {
  const wrong = (reason: string) =>
    new MoatError('PLUGIN_FAILED', `Plugin ${plugin} declares its coding agents incorrectly: ${reason}.`, {
      suggestions: [`moat plugins uninstall ${plugin}`],
    })
  if (!Array.isArray(result)) throw wrong('it must return a list of them')
  return result.map((one: unknown) => {
    const parsed = schema.safeParse(one)
    // As it is, not as it was parsed: its function may use what else it has.
    if (parsed.success) return one as AgentProgram
    const [issue] = parsed.error.issues
    const { name } = (one ?? {}) as { name?: unknown }
    throw wrong(`of ${typeof name === 'string' ? name : 'one'}, ${issue?.path.join('.') || 'it'} ${issue?.message}`)
  })
}
