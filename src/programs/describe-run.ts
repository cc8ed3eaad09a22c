// Owns what a coding agent is told of the run it is in: where it is, its URLs, what it may reach, what stays. Only what is true of
// this run, and short, for it costs room in every conversation. Pure.
import { workspaceTarget } from '../config/container-target.js'
import { isOpen } from '../egress/effective-policy.js'
import type { NetworkPolicy } from '../egress/policy.js'

export interface RunFacts {
  branch?: string
  /** True where it works in a clone of its own, and not in the user's directory. */
  clone: boolean
  /** How moat.yaml, or the project's own files, say that the project is started. */
  command?: readonly string[] | undefined
  dependencies: readonly string[]
  /** True when whatever listens has a URL. */
  discover: boolean
  endpoints: readonly { name: string; port?: number | undefined; url: string }[]
  /** The agent's own address; absent where it has none. */
  agentUrl?: string
  grants: readonly string[]
  /** Directories that the engine keeps. */
  kept: readonly string[]
  /** Directories in memory in the place of those of the workspace. */
  memory: readonly string[]
  mounts: readonly { readOnly: boolean; target: string }[]
  name: string
  network: NetworkPolicy
  /** Databases and the like beside it. */
  services: readonly { name: string; port: number }[]
  snapshots: boolean
}

/** Of a policy with more rules, the rest is only counted. */
const mostHosts = 20

export function describeRun(facts: RunFacts): string {
  const parts = [servers(facts), services(facts), files(facts), network(facts), credentials(facts), tools(facts)]
  return `${[head(facts), ...parts.filter((part) => part !== '')].join('\n\n')}\n`
}

function head({ branch, clone, name }: RunFacts): string {
  const kind = clone ? `clone of the user's repository` : 'git worktree of its own'
  const where =
    branch === undefined ? (clone ? ` It is a ${kind}.` : '') : ` It is a ${kind}, on the branch ${code(branch)}.`
  const whose = clone ? 'Your' : "The user's"
  return `# This container

You run in a Linux container that moat made for the user; its name is ${code(name)}. ${whose} directory is ${workspaceTarget}.${where} moat itself is on the user's machine, not in here: commands that begin with \`moat\` are for the user to type.`
}

function servers({ agentUrl, command, discover, endpoints }: RunFacts): string {
  const lines = endpoints.map(({ name, port, url }) => {
    const where = port === undefined ? '' : `, whatever listens on port ${port} in here`
    return `- ${url} (${code(name)}${where})${isWeb({ url }) ? '' : ", from the user's machine only"}`
  })
  const example = agentUrl && url(agentUrl, '<port>')
  if (discover && example !== undefined)
    lines.push(`- any other port that something listens on, for as long as it does: ${example}`)
  if (lines.length === 0)
    return '## Servers\n\nNo port of this container has a URL, so the user sees no server that runs in it. To change that, the user adds e.g. `ports: {web: 3000}` to moat.yaml and starts this again.'
  const start = command ? `\nThe project is started with ${code(command.join(' '))}. Nobody has started it.` : ''
  return `## Servers

These URLs are for the user's browser, and work in here too:

${lines.join('\n')}

Give the user these URLs, not \`localhost\` with a port, which nobody outside reaches. Listen on 127.0.0.1 or 0.0.0.0, on the very port; to look at a page, ask its URL with \`curl\`: the certificate is trusted already.${variables(endpoints)}${start}`
}

/** Instead of an address, which changes with the agent's name and the proxy's port. */
function variables(endpoints: RunFacts['endpoints']): string {
  const first = endpoints.find(isWeb)
  if (!first) return ''
  const suffix = first.name.toUpperCase().replaceAll('-', '_')
  return ` Code that needs such an address takes it from the environment, ${code(`$MOAT_URL_${suffix}`)} (http) or ${code(`$MOAT_HTTPS_URL_${suffix}`)}, instead of having it written down.`
}

function isWeb({ url }: { url: string }): boolean {
  return url.startsWith('https://')
}

function services({ services: all }: RunFacts): string {
  if (all.length === 0) return ''
  const lines = all.map(
    ({ name, port }) =>
      `- ${code(name)}, at ${code(`${name}:${port}`)}: its address with the password is ${code(`$MOAT_${name.toUpperCase().replaceAll('-', '_')}_URL`)}`,
  )
  return `## Services\n\nThese run beside this container, for it alone. They were empty when this run began, and are gone when it ends:\n\n${lines.join('\n')}`
}

function files({ clone, kept, memory, mounts, name, snapshots }: RunFacts): string {
  const list = (paths: string[]) => paths.map(code).join(', ')
  const writable = mounts.filter(({ readOnly }) => !readOnly).map(({ target }) => target)
  const fixed = mounts.filter(({ readOnly }) => readOnly).map(({ target }) => target)
  const lines = [
    clone
      ? `- ${workspaceTarget} stays from run to run, and the user does not see it: what you commit is fetched by ${code(`moat pull ${name}`)}. Commit what is to be kept.`
      : `- ${workspaceTarget} is the user's own directory: changes are there at once, and stay.${snapshots ? ' moat has taken a snapshot of it before this run, to which the user can go back.' : ''}`,
    ...(writable.length > 0 ? [`- Of the user's machine as well: ${list(writable)}.`] : []),
    ...(fixed.length > 0 ? [`- Of the user's machine, to read only: ${list(fixed)}.`] : []),
    ...(kept.length > 0 ? [`- Kept from run to run: ${list([...kept])}.`] : []),
    ...(memory.length > 0 ? [`- In memory, and gone when this run ends: ${list([...memory])}.`] : []),
    '- Everything else is gone when this run ends: programs that you install, your home directory, /tmp.',
  ]
  return `## Files\n\n${lines.join('\n')}`
}

function network({ name, network: policy }: RunFacts): string {
  if (isOpen(policy)) return ''
  const { host, peers, policy: mode, rules } = policy
  const ways = [
    ...(host.length > 0 ? [`Ports of the user's machine that may be reached: ${host.join(', ')}.`] : []),
    ...(peers.length > 0 ? [`Servers of these other agents may be reached: ${peers.join(', ')}.`] : []),
  ]
  const allowed = [...new Set(rules.filter(({ effect }) => effect === 'allow').map(ruleHost))]
  const denied = [...new Set(rules.filter(({ effect }) => effect === 'deny').map(ruleHost))]
  const limits =
    mode === 'strict'
      ? `Only these hosts can be reached: ${listed(allowed) || 'none'}.`
      : denied.length > 0
        ? `These hosts cannot be reached: ${listed(denied)}.`
        : ''
  const refused =
    mode === 'strict' || denied.length > 0
      ? [
          `A refused request is answered with status 403, or the connection fails; trying again does not help. Tell the user which host you need and why: ${code(`moat network allow ${name} <host>`)} allows it while you run.`,
        ]
      : []
  const text = [limits, ...ways, ...refused].filter((line) => line !== '').join('\n')
  return text === '' ? '' : `## Network\n\n${text}`
}

function credentials({ grants }: RunFacts): string {
  if (grants.length === 0) return ''
  return `## Credentials

Requests to the services of these grants carry the user's credential, which is put in outside of this container: ${grants.map(code).join(', ')}. Variables with tokens in here hold placeholders. Use programs as if they were logged in; the values are nowhere in here.`
}

function tools({ dependencies }: RunFacts): string {
  if (dependencies.length === 0) return ''
  return `## Tools

Installed in the image: ${dependencies.map(code).join(', ')}. What else is always needed belongs under \`dependencies\` in moat.yaml; it is there after the next start.`
}

function ruleHost({ host, paths, port }: NetworkPolicy['rules'][number]): string {
  return `${host}${port === undefined || port === 443 || port === 80 ? '' : `:${port}`}${paths ? ' (some paths)' : ''}`
}

function listed(hosts: string[]): string {
  const rest = hosts.length - mostHosts
  return `${hosts.slice(0, mostHosts).map(code).join(', ')}${rest > 0 ? `, and ${rest} more` : ''}`
}

function url(agent: string, label: string): string {
  return agent.replace('://', `://${label}.`)
}

/** Names and commands come from files of the workspace: none may end the quotation, or begin a line. */
function code(text: string): string {
  return `\`${text.replace(/[`\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()}\``
}
