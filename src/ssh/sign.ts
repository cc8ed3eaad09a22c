// Owns having something signed that may be: the user is asked where they said so, then their agent signs, or one that reads the
// key's file for this once.
import type { SignatureTask } from './agent-session.js'
import { askConfirm } from './ask-confirm.js'
import { fingerprint } from './public-key.js'
import { signByAgent } from './user-agent.js'
import { withKeyFile } from './with-key-file.js'

/** Rejects with why it was not signed, as the end of a sentence. `agent` is a name. */
export async function sign(task: SignatureTask, agent: string, env: NodeJS.ProcessEnv = process.env): Promise<Buffer> {
  const { access, key, purpose } = task
  if (access.confirm) {
    const what = purpose === 'commit' ? 'sign a commit' : `log in to ${access.host}`
    const question = `The agent ${agent} wants to ${what} with your key ${fingerprint(key.blob)}. Allow it?`
    if (!(await askConfirm(question, env))) throw new Error('you did not allow it, or nothing here can ask you')
  }
  if (key.file !== undefined) {
    const { file } = key
    return withKeyFile(file, (socketPath) => signByAgent(socketPath, task)).catch((error: unknown) => {
      throw new Error(`${file}: ${error instanceof Error ? error.message : error}`, { cause: error })
    })
  }
  const socketPath = access.agentSocket ?? env.SSH_AUTH_SOCK
  if (!socketPath) throw new Error('the proxy was started without an ssh agent (SSH_AUTH_SOCK)')
  return signByAgent(socketPath, task)
}
