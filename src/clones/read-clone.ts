// Owns what a clone says of itself: its branches, what is checked out, what is not committed. All of it was written by an agent.
import { MoatError } from '../errors.js'
import { agentText } from './agent-text.js'
import type { CloneGit } from './clone-helper.js'

export interface CloneRef {
  /** Of a commit. */
  id: string
  /** As the clone has it, without `refs/heads/`; `HEAD` for commits that are checked out and on no branch. */
  branch: string
}

export interface CloneState {
  /** Undefined for a detached HEAD, and for one that names no branch. */
  branch?: string
  refs: CloneRef[]
  /** True when something was put aside by `git stash`. */
  stash: boolean
  /** Files that differ from what is committed, as git names them and with git's letters. */
  uncommitted: { path: string; status: string }[]
}

/** Branches of a clone that are looked at. */
export const mostBranches = 1000

/** `untracked: false` leaves out files that git knows nothing of. */
export async function readClone(git: CloneGit, { untracked = true } = {}): Promise<CloneState> {
  const listed = await asked(git, [
    'for-each-ref',
    `--count=${mostBranches + 1}`,
    '--format=%(objectname) %(objecttype) %(refname)',
    'refs/heads',
    'refs/stash',
  ])
  const refs = parseRefs(listed.toString('utf8'))
  const symbolic = await git.ask(['symbolic-ref', '--quiet', 'HEAD'])
  const branch =
    symbolic.code === 0 ? /^refs\/heads\/(.+)$/s.exec(symbolic.stdout.toString().replace(/\n$/, ''))?.[1] : undefined
  const head = await git.ask(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'])
  const id = head.stdout.toString().trim()
  const detached = symbolic.code !== 0 && head.code === 0 && isId(id)
  const status = await asked(git, [
    ...['status', '--porcelain', '-z', '--no-renames', '--ignore-submodules=all'],
    // A directory of which git knows nothing is one line: packages that nobody ignores are many files.
    `--untracked-files=${untracked ? 'normal' : 'no'}`,
  ])
  return {
    ...(branch !== undefined && { branch }),
    refs: [
      ...refs
        .filter(({ name }) => name.startsWith('refs/heads/'))
        .map(({ id, name }) => ({ branch: name.slice(11), id })),
      ...(detached ? [{ branch: 'HEAD', id }] : []),
    ],
    stash: refs.some(({ name }) => name === 'refs/stash'),
    uncommitted: parseStatus(status.toString('utf8')),
  }
}

/** Exported for its test. Throws CLONE_REFUSED for too many. */
export function parseRefs(text: string): { id: string; name: string }[] {
  const lines = text.split('\n').filter((line) => line !== '')
  if (lines.length > mostBranches) {
    throw new MoatError('CLONE_REFUSED', `The clone has more than ${mostBranches} branches.`)
  }
  return lines.flatMap((line) => {
    const [, id = '', name = ''] = /^(\S+) commit (refs\/.+)$/.exec(line) ?? []
    return isId(id) ? [{ id, name }] : []
  })
}

/** Exported for its test. */
export function parseStatus(text: string): CloneState['uncommitted'] {
  return text.split('\0').flatMap((entry) => {
    const [, status, path] = /^([ MTADRCU?!]{2}) (.+)$/s.exec(entry) ?? []
    return status === undefined || path === undefined ? [] : [{ path, status: status.trim() }]
  })
}

export function isId(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)
}

export async function asked(git: CloneGit, args: readonly string[], input?: Parameters<CloneGit['ask']>[1]) {
  const { code, stderr, stdout } = await git.ask(args, input)
  if (code === 0) return stdout
  throw new MoatError('CLONE_REFUSED', `git cannot work on the clone: ${agentText(stderr) || `exit code ${code}`}`)
}
