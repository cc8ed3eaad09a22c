// Owns how Claude Code is run: where it keeps what it knows, what it reads, and what its flags are called.
import type { AgentProgram, AgentStart } from 'moat-cli/plugin'

/** CLAUDE_CONFIG_DIR: ~/.claude and ~/.claude.json in one directory. */
const home = '/var/lib/claude'

/** By the path of a project, which is /workspace for all of them. */
const conversations = `${home}/projects`

/**
 * What it asks on its first start, and whether it may work without asking: the user has said so by running it here. A key of the
 * grant `anthropic`, moat's or one of the user's own host, is a placeholder, which it would ask about too; it knows keys by their last
 * twenty characters.
 */
const answers = {
  bypassPermissionsModeAccepted: true,
  customApiKeyResponses: { approved: ['lder0moatPlaceholder', 'der0moatPlaceholder0'], rejected: [] },
  hasCompletedOnboarding: true,
  projects: { '/workspace': { hasTrustDialogAccepted: true } },
}

export const claude: AgentProgram = {
  command: toCommand,
  // Its managed memory, which it reads whatever the project has.
  contextFile: '/etc/claude-code/CLAUDE.md',
  dependencies: ['claude-code', 'git', 'curl'],
  env: {
    CLAUDE_CONFIG_DIR: home,
    // The image has the version that there was when it was built; moat run --rebuild gets a newer one.
    DISABLE_AUTOUPDATER: '1',
    // Else it refuses, as root, to work without asking.
    IS_SANDBOX: '1',
  },
  grants: ['claude', 'anthropic'],
  hosts: ['api.anthropic.com', 'claude.ai', 'platform.claude.com', 'console.anthropic.com'],
  // What else is in the file are keys of other services: those that it has logged in to for MCP.
  hostLogin: {
    from: '~/.claude/.credentials.json',
    keys: ['claudeAiOauth'],
    to: `${home}/.credentials.json`,
    variable: 'CLAUDE_CONFIG_DIR',
  },
  login: { command: ['claude', 'auth', 'login'], file: `${home}/.credentials.json` },
  name: 'claude',
  seeds: [
    { path: `${home}/.claude.json`, text: JSON.stringify(answers) },
    { path: `${home}/settings.json`, text: JSON.stringify({ skipDangerousModePermissionPrompt: true }) },
  ],
  state: [
    { directory: home, scope: 'profile' },
    { directory: conversations, scope: 'repository' },
  ],
  title: 'Claude Code',
}

function toCommand({ continue: goOn, print, prompt, resume, yolo }: AgentStart): string[] {
  return [
    'claude',
    ...(yolo ? ['--dangerously-skip-permissions'] : []),
    ...(goOn ? ['--continue'] : []),
    ...(resume === undefined ? [] : resume === true ? ['--resume'] : ['--resume', resume]),
    ...(print ? ['--print'] : []),
    // A prompt may begin with a hyphen.
    ...(prompt === undefined ? [] : ['--', prompt]),
  ]
}
