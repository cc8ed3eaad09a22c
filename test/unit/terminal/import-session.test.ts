// What is said, and asked for, before an agent gets a copy of its user's login.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { canImport } from '../../../src/programs/host-login.js'
import { askImport, describeImport } from '../../../src/terminal/import-session.js'
import { agentProgram } from '../../helpers/agent-programs.js'
import { temporaryDirectory } from '../config/temp-directory.js'

const claude = await agentProgram('claude')
const options = { ask: true, home: '/h/.moat', profile: 'work', yes: false }

beforeEach(async () => {
  const home = await temporaryDirectory()
  mkdirSync(join(home, '.claude'))
  writeFileSync(join(home, '.claude/.credentials.json'), '{"claudeAiOauth": {"accessToken": "secret"}, "mcpOAuth": {}}')
  vi.stubEnv('HOME', home)
  vi.stubEnv('CLAUDE_CONFIG_DIR', '')
})
afterEach(() => vi.unstubAllEnvs())

it('names the file, what of it is copied, who reads it then, and the better way', () => {
  if (!canImport(claude)) throw new Error('its login cannot be copied')
  const text = describeImport(claude, options).join('\n')
  for (const words of [
    '~/.claude/.credentials.json',
    'of it claudeAiOauth, and nothing of any other file',
    'to /var/lib/claude/.credentials.json',
    'moat volumes rm claude.work',
    'agents of the profile work',
    'can read it, and send it to any host',
    'never have it: moat grant claude',
  ])
    expect(text).toContain(words)
})

it('is refused where nobody can be asked, and goes on with --yes, which says the same', async () => {
  const written: string[] = []
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  try {
    const asked = askImport({ program: claude }, { ...options, ask: false })
    await expect(asked).rejects.toMatchObject({
      code: 'NOT_APPROVED',
      message: expect.stringMatching(/\.credentials\.json[\s\S]*Nothing was copied and nothing was started\.$/),
      suggestions: [
        'moat grant claude',
        'moat grant anthropic',
        'moat claude --login',
        expect.stringMatching(/^moat claude --import --yes /),
      ],
    })
    expect(written).toEqual([])
    await askImport({ program: claude }, { ...options, yes: true })
    expect(written.join('')).toContain('.credentials.json')
    expect(written.join('')).not.toContain('secret')
  } finally {
    stderr.mockRestore()
  }
})

it('is not asked about where there is nothing to copy, or nothing that it is needed for', async () => {
  const yes = { ...options, yes: true }
  await expect(askImport({ grant: 'anthropic', program: claude }, yes)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('has the grant anthropic, with which it needs no login'),
  })
  const { hostLogin: _, ...without } = claude
  await expect(askImport({ program: without }, yes)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('moat knows of no login of Claude Code on this machine'),
  })
  vi.stubEnv('CLAUDE_CONFIG_DIR', '/nonexistent')
  await expect(askImport({ program: claude }, yes)).rejects.toMatchObject({ code: 'LOGIN_REFUSED' })
})
