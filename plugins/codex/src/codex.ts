// Owns how Codex is run: where it keeps what it knows, what it is told, and what its flags are called.
import type { AgentProgram, AgentStart } from 'moat-cli/plugin'

/** CODEX_HOME. */
const home = '/var/lib/codex'
/** Lists of conversations, by the path of a project, which is /workspace for all of them. */
const lists = `${home}/sqlite`
/**
 * What it is told, as the AGENTS.md of its home: that is the one thing which it reads again when a conversation goes on. The home has
 * a link, for other runs have the same one at the same time.
 */
const context = '/etc/codex/AGENTS.md'

export const codex: AgentProgram = {
  command: toCommand,
  contextFile: context,
  dependencies: ['codex', 'git', 'curl'],
  env: { CODEX_HOME: home, CODEX_SQLITE_HOME: lists },
  grants: ['openai'],
  hosts: ['api.openai.com', 'auth.openai.com', 'chatgpt.com'],
  hostLogin: {
    from: '~/.codex/auth.json',
    keys: ['OPENAI_API_KEY', 'auth_mode', 'last_refresh', 'tokens'],
    to: `${home}/auth.json`,
    variable: 'CODEX_HOME',
  },
  login: { command: ['codex', 'login', '--device-auth'], file: `${home}/auth.json` },
  name: 'codex',
  seeds: [{ linkTo: context, path: `${home}/AGENTS.md` }],
  state: [
    { directory: home, scope: 'profile' },
    { directory: `${home}/sessions`, scope: 'repository' },
    { directory: lists, scope: 'repository' },
  ],
  title: 'Codex',
}

function toCommand({ continue: goOn, env, grant, print, prompt, resume, yolo }: AgentStart): string[] {
  const resumed = goOn || resume !== undefined
  return [
    'codex',
    ...(print ? ['exec'] : []),
    ...(resumed ? ['resume'] : []),
    ...settings({
      'projects."/workspace".trust_level': 'trusted',
      ...(grant !== undefined && withKey(env.OPENAI_BASE_URL)),
    }),
    ...(yolo ? ['--dangerously-bypass-approvals-and-sandbox'] : []),
    ...(print ? ['--skip-git-repo-check'] : []),
    ...(resumed && goOn ? ['--last'] : []),
    // A prompt may begin with a hyphen.
    ...(typeof resume === 'string' || prompt !== undefined ? ['--'] : []),
    ...(typeof resume === 'string' ? [resume] : []),
    ...(prompt === undefined ? [] : [prompt]),
  ]
}

/** By itself it reads a key from no variable, only from a file that its login writes. */
function withKey(address = 'https://api.openai.com/v1'): Record<string, string> {
  return {
    model_provider: 'moat',
    'model_providers.moat.base_url': address,
    'model_providers.moat.env_key': 'OPENAI_API_KEY',
    'model_providers.moat.name': 'OpenAI',
    'model_providers.moat.wire_api': 'responses',
  }
}

/** A string of JSON is one of TOML. */
function settings(all: Readonly<Record<string, string>>): string[] {
  return Object.entries(all).flatMap(([key, value]) => ['-c', `${key}=${JSON.stringify(value)}`])
}
