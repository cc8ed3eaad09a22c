// Owns which branches there are to run an agent on.
import { askGit } from './git.js'
import { repositoryAt } from './git-place.js'
import { openRepository } from './repository.js'

/** The repository's own, most recently committed to first, then those that only a remote has, by their name without it. */
export async function listBranches(directory: string): Promise<string[]> {
  const { commonDir } = await openRepository(directory)
  const list = async (where: string) => {
    const format = ['--sort=-committerdate', '--format=%(refname)', where]
    const { stdout } = await askGit(repositoryAt(commonDir), ['for-each-ref', ...format])
    return stdout.split('\n').filter((line) => line !== '')
  }
  const [own, remote] = [await list('refs/heads'), await list('refs/remotes')]
  const names = [
    ...own.map((ref) => ref.slice('refs/heads/'.length)),
    ...remote.map((ref) => ref.replace(/^refs\/remotes\/[^/]+\//, '')).filter((name) => name !== 'HEAD'),
  ]
  return [...new Set(names)]
}
