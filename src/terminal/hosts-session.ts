// Owns changing a hosts file as a person sees it: what it will be, the question, and the command that does it.
import { createHash } from 'node:crypto'
import { access, constants, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { command } from '../authority/stores/commands.js'
import type { MoatPaths } from '../config/paths.js'
import { exitCodes, MoatError, messageOf } from '../errors.js'
import { withHostsBlock, withoutHostsBlock } from '../routing/hosts-block.js'
import { confirm } from './confirm.js'

export interface HostsOptions {
  file: string
  /** None: the block goes. */
  hosts: readonly string[]
  json: boolean
  /** stdout. */
  log: (line: string) => void
  name: 'clean' | 'sync'
  /** stderr. */
  note: (line: string) => void
  paths: Pick<MoatPaths, 'home' | 'proxy'>
  print: boolean
  yes: boolean
}

export interface HostsOutcome {
  file: string
  hosts: readonly string[]
  /** `planned`: only printed. `declined`: a person said no. */
  result: 'changed' | 'declined' | 'planned' | 'unchanged'
}

/** Brings moat's block in the file in line with these hosts, after asking. */
export async function changeHosts(options: HostsOptions): Promise<HostsOutcome> {
  const { file, hosts, log, name, note, paths, print, yes } = options
  const now = await read(file)
  const id = createHash('sha256').update(paths.home).digest('hex').slice(0, 8)
  const next = blockIn(now, id, options)
  const outcome = (result: HostsOutcome['result']): HostsOutcome => ({ file, hosts, result })
  if (print) {
    log(Buffer.from(next.replace(/\n$/, ''), 'latin1').toString())
    return outcome('planned')
  }
  if (next === now) {
    log(`${file} is up to date.`)
    return outcome('unchanged')
  }
  const draft = join(paths.proxy, 'hosts.new')
  const writable = await access(file, constants.W_OK).then(
    () => true,
    () => false,
  )
  // cp writes into the file that is there: its owner, mode and inode stay, also where it is mounted.
  const copy = command(['cp', draft, file], { root: !writable })
  if (!yes) {
    note(`moat will ${hosts.length > 0 ? 'write this block into' : 'take its block out of'} ${file}:\n`)
    for (const line of blockLines(hosts, id)) note(`  ${line}`)
    note(`  $ ${copy.text}\n`)
    if (!(await agreed(name, options.json))) {
      note('Nothing was changed.')
      return outcome('declined')
    }
  }
  await mkdir(paths.proxy, { mode: 0o700, recursive: true })
  await writeFile(draft, next, 'latin1')
  try {
    await copy.run()
  } catch (error) {
    throw new MoatError('HOSTS_FAILED', `${file} could not be changed: ${messageOf(error)}.`, {
      cause: error,
      suggestions: [`sudo moat proxy hosts ${name}`, `moat proxy hosts ${name} --print`],
    })
  } finally {
    await rm(draft, { force: true })
  }
  log(hosts.length > 0 ? `${file} has ${hosts.length} hosts of agents.` : `${file} has nothing of moat.`)
  return outcome('changed')
}

function blockLines(hosts: readonly string[], id: string): string[] {
  return hosts.length > 0 ? withHostsBlock('', { hosts, id }).split('\n') : []
}

function blockIn(now: string, id: string, { file, hosts }: HostsOptions): string {
  try {
    return hosts.length > 0 ? withHostsBlock(now, { hosts, id }) : withoutHostsBlock(now, id)
  } catch (error) {
    throw new MoatError('HOSTS_FAILED', `${file} has a block of moat's that was changed: ${messageOf(error)}.`, {
      cause: error,
      suggestions: [`sudoedit ${file}   # delete the lines of moat by hand`],
    })
  }
}

async function read(file: string): Promise<string> {
  try {
    // Bytes as they are, whatever they mean.
    return await readFile(file, 'latin1')
  } catch (error) {
    throw new MoatError('HOSTS_FAILED', `${file} cannot be read: ${messageOf(error)}.`, {
      cause: error,
      exit: exitCodes.usage,
      suggestions: [`ls -l ${dirname(file)}`],
    })
  }
}

async function agreed(name: string, json: boolean): Promise<boolean> {
  const answer = json ? undefined : await confirm('Do it?')
  if (answer !== undefined) return answer
  throw new MoatError('USAGE', `Without a terminal, moat proxy hosts ${name} does not ask and changes nothing.`, {
    exit: exitCodes.usage,
    suggestions: [`moat proxy hosts ${name} --yes`, `moat proxy hosts ${name} --print`],
  })
}
