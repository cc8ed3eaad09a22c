// Owns showing progress: a task list on a terminal, plain lines elsewhere. Always on stderr; stdout is for data.
import type { Progress } from '../agents/progress.js'
import { visibleLines } from '../config/visible.js'
import { isLively } from './drawable.js'

/** Progress on a terminal or in plain lines, whichever `stream` is. */
export function terminalProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return isLively(stream) ? taskProgress(stream) : plainProgress(stream)
}

function plainProgress(stream: NodeJS.WriteStream): Progress {
  return {
    note: (line) => stream.write(`${visibleLines(line)}\n`),
    step: (title, action) => {
      stream.write(`${title}\n`)
      return action(() => {})
    },
  }
}

function taskProgress(stream: NodeJS.WriteStream): Progress {
  return {
    note: (line) => stream.write(`${visibleLines(line)}\n`),
    step: async (title, action) => {
      // Loaded here: only a command that shows progress pays for it.
      const { Listr, ListrLogger, ProcessOutput } = await import('listr2')
      const outcome: { value?: Awaited<ReturnType<typeof action>> } = {}
      const task = {
        task: async (_: unknown, handle: { output: string }) => {
          outcome.value = await action((text) => {
            handle.output = text
          })
        },
        title,
      }
      const logger = new ListrLogger({ processOutput: new ProcessOutput(stream, stream) })
      // Errors are printed once, by whoever reports them.
      const rendererOptions = { logger, showErrorMessage: false }
      await new Listr([task], { registerSignalListeners: false, rendererOptions }).run()
      return outcome.value as Awaited<ReturnType<typeof action>>
    },
  }
}
