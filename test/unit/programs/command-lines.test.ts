// The command lines of moat's own coding agents, for what a person asks. That the programs take them is seen in integration/programs.
import { expect, it } from 'vitest'
import type { AgentProgram, AgentStart } from '../../../src/programs/contract.js'
import { agentProgram } from '../../helpers/agent-programs.js'

const [claude, codex] = await Promise.all([agentProgram('claude'), agentProgram('codex')])

const start: AgentStart = { context: '', continue: false, env: {}, print: false, yolo: true }
const of = (program: AgentProgram, given: Partial<AgentStart>) => {
  const words = program.command({ ...start, ...given })
  // Settings aside.
  return words.filter((word, index) => word !== '-c' && words[index - 1] !== '-c').join(' ')
}

it.each<[Partial<AgentStart>, string, string]>([
  [{}, 'claude --dangerously-skip-permissions', 'codex --dangerously-bypass-approvals-and-sandbox'],
  [{ yolo: false }, 'claude', 'codex'],
  [{ prompt: '-x', yolo: false }, 'claude -- -x', 'codex -- -x'],
  [{ print: true, prompt: 'a', yolo: false }, 'claude --print -- a', 'codex exec --skip-git-repo-check -- a'],
  [{ continue: true, yolo: false }, 'claude --continue', 'codex resume --last'],
  [{ resume: true, yolo: false }, 'claude --resume', 'codex resume'],
  [{ prompt: 'a', resume: 'id', yolo: false }, 'claude --resume id -- a', 'codex resume -- id a'],
])('%j', (given, ofClaude, ofCodex) => {
  expect(of(claude, given)).toBe(ofClaude)
  expect(of(codex, given)).toBe(ofCodex)
})

it('Codex reads the placeholder of a grant, at the address that the user sets', () => {
  const setting = (given: Partial<AgentStart>) =>
    codex.command({ ...start, ...given }).find((word) => word.startsWith('model_providers.moat.base_url'))
  expect(setting({})).toBeUndefined()
  expect(setting({ grant: 'openai' })).toBe('model_providers.moat.base_url="https://api.openai.com/v1"')
  expect(setting({ env: { OPENAI_BASE_URL: 'https://a"b' }, grant: 'openai' })).toMatch(/="https:\/\/a\\"b"$/)
})
