// Agents in worktrees that do nothing by themselves, and what a script does in one.
import type { AgentView } from '../../src/routing/agent-view.js'
import type { GitRepository } from './git-repository.js'
import type { Sandbox } from './sandbox.js'

export const idleYaml = 'name: app\ndependencies: [node@22, git]\ncommand: [sleep, infinity]\n'

export function startOn(
  sandbox: Sandbox,
  repository: GitRepository,
  branch: string,
  ...flags: string[]
): Promise<AgentView> {
  return sandbox.json<AgentView>(['wt', '-d', branch, ...flags], { cwd: repository.directory })
}

/** The output of a script in the agent. Fails with what it says if it does. */
export async function inside(sandbox: Sandbox, agent: AgentView, script: string): Promise<string> {
  const { code, stderr, stdout } = await sandbox.inside(agent.name, 'sh', '-ec', script)
  if (code !== 0) throw new Error(`exit code ${code}\n${stdout}${stderr}`)
  return stdout
}
