import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Args, Flags } from '@oclif/core'
import type { CommandCompletion } from '../completion/completion-source.js'
import { displayName } from '../config/problems.js'
import { replaceFile } from '../config/replace-file.js'
import { visibleLines } from '../config/visible.js'
import { resolveWorkspace } from '../config/workspace.js'
import { exitCodes, MoatError, systemCode } from '../errors.js'
import { detectProject } from '../projects/detect-project.js'
import { moatYamlFor } from '../projects/write-moat-yaml.js'
import { confirm } from '../terminal/confirm.js'
import { MoatCommand } from '../terminal/moat-command.js'

export default class Init extends MoatCommand {
  static override args = { path: Args.string({ default: '.', description: 'Directory of the project' }) }
  static override completion: CommandCompletion = { path: 'directories' }
  static override description = 'Write a moat.yaml for the project in a directory'
  static override enableJsonFlag = true
  static override flags = { force: Flags.boolean({ char: 'f', description: 'Replace an existing moat.yaml' }) }

  async run(): Promise<{ file: string; text: string; written: boolean }> {
    const { args, flags } = await this.parse(Init)
    const directory = await resolveWorkspace(args.path)
    const file = join(directory, 'moat.yaml')
    const text = moatYamlFor(await detectProject(directory))
    this.log(visibleLines(text))
    const written = await this.#write(file, text, flags.force)
    if (written) this.log(`Wrote ${displayName(file, process.cwd())}. Check it, then: moat run ${args.path}`)
    return { file, text, written }
  }

  /** False when the person wants to keep the file that is there. */
  async #write(file: string, text: string, replace: boolean): Promise<boolean> {
    try {
      await (replace ? replaceFile(file, text) : writeFile(file, text, { flag: 'wx' }))
      return true
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
    }
    const agreed = this.jsonEnabled() ? undefined : await confirm('There is already a moat.yaml. Replace it?')
    if (agreed === undefined) {
      const suggestions = ['moat init --force']
      throw new MoatError('USAGE', `${file} already exists.`, { exit: exitCodes.usage, suggestions })
    }
    if (agreed) await replaceFile(file, text)
    return agreed
  }
}
