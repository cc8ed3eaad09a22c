// Owns what the moat.yaml of the Go program of the same name has, and this moat has not: what of it changes nothing here is told in a
// note, the rest is an error that says what to write instead. Pure.
import { z } from 'zod'
import { needed } from './needed.js'
import { mustBe } from './schema-parts.js'

/** What is said of one value: an error goes on where its subject, the path, ends; a note after a colon. */
interface Saying {
  error?: string
  note?: string
  path: string[]
}

type Judge = (value: unknown, path: string[]) => Saying[]

const isText = (value: unknown) => ['number', 'string'].includes(typeof value)
const isFlag = (value: unknown) => typeof value === 'boolean'

/** Nothing but a note, if there is something to say of the value. */
function noted(
  expected: string,
  test: (value: unknown) => boolean,
  note: string | ((value: unknown) => string),
): Judge {
  return (value, path) => {
    if (!test(value)) return [{ error: mustBe(expected, value), path }]
    const text = typeof note === 'string' ? note : note(value)
    return text === '' ? [] : [{ note: text, path }]
  }
}

/** `insteads` are whole clauses. */
function refused(instead: string): Judge {
  return (_, path) => [{ error: `is not for this moat: ${instead}`, path }]
}

function mapping(example: string, keys: Readonly<Record<string, Judge>>): Judge {
  return (value, path) => {
    if (!(value instanceof Object) || Array.isArray(value)) {
      return [{ error: mustBe(`a mapping such as ${example}`, value), path }]
    }
    return Object.entries(value).flatMap(([key, inner]) => {
      const judge = Object.hasOwn(keys, key) ? keys[key] : undefined
      return judge
        ? judge(inner, [...path, key])
        : [{ error: `is unknown; known keys are ${Object.keys(keys).join(', ')}`, path: [...path, key] }]
    })
  }
}

const syncLogs = noted('true or false', isFlag, 'moat logs shows what an agent has written')
const mcpFile = 'name its servers in the .mcp.json of the project'

function agentKeys(program: string, others: Readonly<Record<string, Judge>>): Judge {
  return mapping('{sync_logs: true}', {
    mcp: refused(`name the servers in the settings of ${program} in the project`),
    sync_logs: syncLogs,
    ...others,
  })
}

const claude = agentKeys('Claude Code', {
  base_url: refused('write env: {ANTHROPIC_BASE_URL: https://…}'),
  'llm-gateway': refused('write env: {ANTHROPIC_BASE_URL: https://…}'),
  marketplaces: refused('write them as "extraKnownMarketplaces" into .claude/settings.json of the project'),
  mcp: refused(mcpFile),
  rate_limit_tier: noted('text', isText, 'Claude Code asks its service for it'),
  subscription_type: noted('text', isText, 'Claude Code asks its service for it'),
  plugins: refused('write them as "enabledPlugins" into .claude/settings.json of the project'),
})

const runtime: Judge = (value, path) => {
  if (value === 'docker') {
    return [{ note: 'moat finds the engine by itself, and --runtime or MOAT_RUNTIME chooses one', path }]
  }
  if (value === 'apple') {
    const instead = 'it runs agents by Docker and what answers like it; leave the key out'
    return [{ error: `is "apple", whose containers this moat does not run: ${instead}`, path }]
  }
  return [{ error: `${mustBe('docker', value)}; an engine's own runtime stands under "container.runtime"`, path }]
}

const judges: Readonly<Record<string, Judge>> = {
  agent: noted('text', isText, 'moat claude and moat codex run coding agents, and moat run what "command" says'),
  claude,
  clipboard: noted('true or false', isFlag, (value) => (value ? 'moat does not share the clipboard' : '')),
  codex: agentKeys('Codex', {}),
  copilot: refused('give what it needs by "env" or its own files'),
  gemini: agentKeys('Gemini', {}),
  interactive: noted('true or false', isFlag, (value) => (value ? 'moat run -i gives an agent your terminal' : '')),
  language_servers: refused('add them to "dependencies", such as npm:typescript-language-server'),
  mcp: refused(mcpFile),
  runtime,
  sandbox: (value, path) => {
    if (value === 'none') return [{ note: 'gVisor is used where "container.runtime" says runsc', path }]
    return [{ error: `${mustBe('none', value)}; for gVisor write container: {runtime: runsc}`, path }]
  },
  tracing: mapping('{disable_exec: true}', {
    disable_exec: noted('true or false', isFlag, (value) => (value ? '' : 'moat does not trace programs')),
  }),
  version: noted('text', isText, 'a moat.yaml has no version'),
  workspace: mapping('{mode: bind}', {
    mode: (value, path) =>
      value === 'bind'
        ? []
        : [
            {
              error: `${mustBe('bind', value)}: the workspace is a directory of this machine; moat wt makes a copy`,
              path,
            },
          ],
  }),
}

/** Keys that are known so. */
export const otherKeys = Object.keys(judges)

/** For the schema: each refuses what is an error, and takes the rest. */
export const otherShape = Object.fromEntries(
  Object.entries(judges).map(([key, judge]) => [
    key,
    needed(() =>
      z
        .unknown()
        .superRefine((value, context) => {
          for (const { error, path } of value === undefined ? [] : judge(value, [])) {
            if (error !== undefined) context.addIssue({ code: 'custom', message: error, path })
          }
        })
        .optional(),
    ),
  ]),
)

/** What a person should know of such keys of a valid file: `moat.yaml:2:1: "agent" has no effect: …`. */
export function otherNotes(value: unknown, locate: (path: string[]) => string): string[] {
  if (!(value instanceof Object)) return []
  return otherKeys
    .filter((key) => Object.hasOwn(value, key))
    .flatMap((key) => judges[key]?.((value as Record<string, unknown>)[key], [key]) ?? [])
    .flatMap(({ note, path }) =>
      note === undefined ? [] : [`Note: ${locate(path)}: "${path.join('.')}" has no effect: ${note}.`],
    )
}
