// A sandbox for commands that are refused: exactly what they say, and that nothing was started.
import { expect } from 'vitest'
import { Sandbox } from './sandbox.js'

export class RefusingSandbox extends Sandbox {
  /** Runs moat and expects this exit code and exactly this on stderr, apart from progress. */
  async refuses(args: string[], code: number, text: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
    const outcome = await this.moat(args, { env })
    const stderr = outcome.stderr.replace(/^(Starting|Pulling|Stopping) .*\n/gm, '')
    expect({ ...outcome, stderr }).toEqual({ code, stderr: text, stdout: '' })
  }

  override async cleanUp(): Promise<void> {
    expect(await this.containers()).toEqual([])
    expect(await this.processes()).toEqual({ caddys: [], doorkeepers: [], gates: [], supervisors: [] })
    await super.cleanUp()
  }
}
