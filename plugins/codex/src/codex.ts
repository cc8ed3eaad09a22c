// Owns how Codex is run: where it keeps what it knows, what it is told, and what its flags are called.
import type { AgentProgram, AgentStart } from 'moat-cli/plugin'

/** CODEX_HOME. */
const home = '/var/lib/codex'

export const codex: AgentProgram = {
  command: toCommand,
  dependencies: ['codex', 'git', 'curl'],
  env: { CODEX_HOME: home },
  grants: ['openai'],
  hosts: ['api.openai.com', 'auth.openai.com', 'chatgpt.com'],
  login: { command: ['codex', 'login', '--device-auth'], file: `${home}/auth.json` },
  name: 'codex',
  state: [
    { directory: home, scope: 'profile' },
    { directory: `${home}/sessions`, scope: 'repository' },
  ],
  title: 'Codex',
}

function toCommand({ context, continue: goOn, grant, print, prompt, resume, yolo }: AgentStart): string[] {
  const resumed = goOn || resume !== undefined
  return [
    'codex',
    ...(print ? ['exec'] : []),
    ...(resumed ? ['resume'] : []),
    // Not into a file of its home, which other runs read at the same time.
    ...settings({
      ...(context !== '' && { developer_instructions: context }),
      'projects."/workspace".trust_level': 'trusted',
      ...(grant === undefined ? {} : withKey),
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
const withKey = {
  model_provider: 'moat',
  'model_providers.moat.base_url': 'https://api.openai.com/v1',
  'model_providers.moat.env_key': 'OPENAI_API_KEY',
  'model_providers.moat.name': 'OpenAI',
  'model_providers.moat.wire_api': 'responses',
}

/** A string of JSON is one of TOML. */
function settings(all: Readonly<Record<string, string>>): string[] {
  return Object.entries(all).flatMap(([key, value]) => ['-c', `${key}=${JSON.stringify(value)}`])
}
