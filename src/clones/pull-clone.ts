// Owns bringing the commits of a clone into the user's repository, as branches `moat/<agent>/<branch>`; which of them are still missing.
import { shellQuote } from '../config/shell-quote.js'
import type { MoatError } from '../errors.js'
import { type Ask, gitFailed, withView } from '../worktrees/git.js'
import { type GitPlace, repositoryAt } from '../worktrees/git-place.js'
import { assertNoLinks } from '../worktrees/make-worktree.js'
import { listWorktrees } from '../worktrees/repository.js'
import { agentList } from './agent-text.js'
import { chooseRefs, type RefusedRef, type WantedRef } from './choose-refs.js'
import type { CloneGit } from './clone-helper.js'
import { lines, takeIn } from './quarantine.js'
import { asked, type CloneState, isId, readClone } from './read-clone.js'

export interface PulledBranch {
  /** As the clone has it; `HEAD` for commits that are on no branch there. */
  branch: string
  commit: string
  /** How many commits the repository's other branches do not have. */
  commits: number
  /** Where what was replaced is kept: the clone knows nothing of it, so it came from an earlier one of that name. */
  kept?: string
  /** What it was before, where that is not part of what it is now. */
  replaced?: string
  /** As `git log` takes it. */
  name: string
}

export interface PulledClone extends Pick<CloneState, 'stash' | 'uncommitted'> {
  /** Those that have changed. */
  branches: PulledBranch[]
  /** What is checked out in the clone. */
  current?: string
  refused: RefusedRef[]
}

/** Commits of the repository that a clone is asked about, so that it need not send what they have. */
const mostKnown = 5000
const heads = 'refs/heads/'

export async function pullClone(git: CloneGit, agent: string, commonDir: string): Promise<PulledClone> {
  const place = repositoryAt(commonDir)
  const state = await readClone(git)
  const { refused, wanted } = chooseRefs(agent, state.refs)
  const news = await withView(place, (ask) => unknownHere(ask, agent, wanted))
  const missing = news.filter(({ isHere }) => !isHere)
  if (missing.length > 0) await fetchObjects(git, place, missing)
  const moved: PulledBranch[] = []
  const used = new Set((await listWorktrees(commonDir)).flatMap(({ branch }) => branch ?? []))
  for (const one of news) {
    const outcome = used.has(one.ref.slice(heads.length))
      ? { branch: one.branch, reason: `${one.ref.slice(heads.length)} is checked out in a worktree` }
      : await moveRef(place, agent, one, await isOfClone(git, one.old))
    if ('reason' in outcome) refused.push(outcome)
    else moved.push(outcome)
  }
  const { branch: current, stash, uncommitted } = state
  return { branches: moved, ...(current !== undefined && { current }), refused, stash, uncommitted }
}

/** What of a clone would be lost with it, as ends of a sentence that begins with its agent; empty if nothing would. */
export async function unsavedIn(git: CloneGit, agent: string, commonDir: string): Promise<string[]> {
  const state = await readClone(git)
  const refs = state.refs.map((ref) => ({ ...ref, ref: `${heads}moat/${agent}/${ref.branch}` }))
  const news = await withView(repositoryAt(commonDir), async (ask) => {
    const moved = await unknownHere(ask, agent, refs)
    const unsaved: News[] = []
    // One that has moved may have moved to what is here by other ways.
    for (const one of moved) if (!(one.isHere && (await isSaved(ask, one.id)))) unsaved.push(one)
    return unsaved
  })
  const changes = state.uncommitted.length
  return [
    ...(news.length === 0 ? [] : [`commits that were not pulled, on ${agentList(news.map(({ branch }) => branch))}`]),
    ...(changes === 0 ? [] : [changes === 1 ? '1 uncommitted change' : `${changes} uncommitted changes`]),
    ...(state.stash ? ['a stash'] : []),
  ]
}

interface News extends WantedRef {
  isHere: boolean
  /** What the user's branch for it is now. */
  old?: string
}

/** The branches whose commits are on no branch here, and those that are pulled already and have moved. */
async function unknownHere(ask: Ask, agent: string, wanted: readonly WantedRef[]): Promise<News[]> {
  if (wanted.length === 0) return []
  const listed = await ask(['for-each-ref', '--format=%(objectname) %(refname)', `${heads}moat/${agent}/`])
  const pulled = new Map(
    listed.stdout.split('\n').map((line) => [line.slice(line.indexOf(' ') + 1), line.split(' ')[0]]),
  )
  const here = await commitsIn(
    ask,
    wanted.map(({ id }) => id),
  )
  const news: News[] = []
  for (const one of wanted) {
    const old = pulled.get(one.ref)
    const isHere = here.has(one.id)
    if (old === one.id) continue
    if (isHere && old === undefined && (await countNew(ask, agent, one.id)) === 0) continue
    news.push({ ...one, isHere, ...(old !== undefined && { old }) })
  }
  return news
}

async function commitsIn(ask: Ask, ids: readonly string[]): Promise<Set<string>> {
  const { stdout } = await ask(['cat-file', '--batch-check=%(objecttype) %(objectname)'], { input: lines(ids) })
  return new Set(stdout.split('\n').flatMap((line) => /^commit (\S+)$/.exec(line)?.[1] ?? []))
}

/** Commits that no branch, tag or remote has, but for what was pulled of this agent. */
async function countNew(ask: Ask, agent: string, id: string, old?: string): Promise<number> {
  const saved = [`--exclude=moat/${agent}/*`, '--branches', '--tags', '--remotes', ...(old === undefined ? [] : [old])]
  const { code, stdout } = await ask(['rev-list', '--count', id, '--not', ...saved])
  return code === 0 ? Number(stdout) : Number.NaN
}

async function isSaved(ask: Ask, id: string): Promise<boolean> {
  const { code, stdout } = await ask(['rev-list', '--count', id, '--not', '--branches', '--tags', '--remotes'])
  return code === 0 && Number(stdout) === 0
}

async function fetchObjects(git: CloneGit, place: GitPlace, missing: readonly News[]): Promise<void> {
  const tips = missing.map(({ id }) => id)
  const known = await withView(place, async (ask) => {
    const { stdout } = await ask([
      'for-each-ref',
      `--count=${mostKnown}`,
      '--sort=-committerdate',
      '--format=%(objectname)',
    ])
    return stdout.split('\n').filter(isId)
  })
  const found =
    known.length === 0
      ? ''
      : (await asked(git, ['cat-file', '--batch-check=%(objectname) %(objecttype)'], lines(known))).toString()
  const ofClone = new Set(found.split('\n').flatMap((line) => /^(\S+) (?:commit|tag)$/.exec(line)?.[1] ?? []))
  const shared = known.filter((id) => ofClone.has(id)).map((id) => `^${id}`)
  const args = ['pack-objects', '--revs', '--stdout', '--thin', '--delta-base-offset', '--quiet']
  const { failed, stdout } = await git.stream(args, lines([...tips, ...shared]))
  await takeIn(place, { pack: stdout, problem: failed }, tips)
}

async function isOfClone(git: CloneGit, id: string | undefined): Promise<boolean> {
  return id === undefined || (await git.ask(['cat-file', '-e', id])).code === 0
}

async function moveRef(
  place: GitPlace,
  agent: string,
  { branch, id, old, ref }: News,
  ofClone: boolean,
): Promise<PulledBranch | RefusedRef> {
  const name = ref.slice(heads.length)
  await assertNoLinks(place, name)
  return withView(place, async (ask) => {
    const commits = await countNew(ask, agent, id, old)
    const follows = old === undefined || (await ask(['merge-base', '--is-ancestor', old, id])).code === 0
    const kept = `${name}-was-${old?.slice(0, 8)}`
    const keeps = !follows && !ofClone
    if (keeps) {
      await assertNoLinks(place, kept)
      // It may be there from an earlier time, then as the same commit.
      await ask(['update-ref', '-m', `moat pull ${agent}`, `${heads}${kept}`, old ?? id])
    }
    const none = '0'.repeat(id.length)
    const outcome = await ask(['update-ref', '--create-reflog', '-m', `moat pull ${agent}`, ref, id, old ?? none])
    if (outcome.code !== 0) return { branch, reason: inTheWay(gitFailed(place, outcome), name) }
    const replaced = !follows && old !== undefined && { replaced: old }
    return { branch, commit: id, commits, name, ...replaced, ...(keeps && { kept }) }
  })
}

/** Mostly a branch `moat`, or `moat/<agent>`, of the user's own. */
function inTheWay(error: MoatError, name: string): string {
  const found = /'refs\/heads\/([^']+)' exists/.exec(error.message)?.[1]
  return found === undefined ? error.message : `your branch ${shellQuote(found)} stands where ${name} would`
}
