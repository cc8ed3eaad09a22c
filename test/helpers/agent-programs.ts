// The coding agents that packages describe, as their hooks return them.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AgentProgram } from '../../src/programs/contract.js'

/** Of moat's own, `plugins/<name>`; of the fixture of a stranger, `gemini`. */
export async function agentProgram(name: 'claude' | 'codex' | 'gemini'): Promise<AgentProgram> {
  const file =
    name === 'gemini' ? 'test/fixtures/plugin-gemini/agent-programs.js' : `plugins/${name}/src/hooks/agent-programs.ts`
  const { default: hook } = (await import(pathToFileURL(resolve(file)).href)) as {
    default: () => Promise<AgentProgram[]>
  }
  const [program] = await hook()
  if (!program) throw new Error(`${file} describes nothing`)
  return program
}
