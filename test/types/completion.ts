// Type tests: checked by `tsc`, never run. What must not compile is marked; it is an error if it does compile.
import type { CommandCompletion } from '../../src/completion/completion-source.js'
import { MoatCommand } from '../../src/terminal/moat-command.js'

export const completion: CommandCompletion = { '--card': 'files', agent: 'running-agents', endpoint: 'endpoints' }

export abstract class WrongSource extends MoatCommand {
  // @ts-expect-error There is no such source.
  static override completion: CommandCompletion = { agent: 'agent' }
}
