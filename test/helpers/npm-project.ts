// Projects as the frameworks' own tools make them, with their packages from npm's registry; npm's cache spares most of a
// second time.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withKeptPackages } from './kept-packages.js'

const run = promisify(execFile)

/** What is in npm's cache is not asked for again. */
const options = ['--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=1', '--loglevel=error']

/** Makes the project `name` in `directory`, by running a package's program: `create-vite@9.3.0`. */
export async function generate(directory: string, creator: string, args: string[]): Promise<void> {
  await npm(directory, ['exec', '--yes', ...options, `--package=${creator}`, '--', ...args])
}

/** Installs what package.json asks for; `packages` at exactly these versions. */
export async function install(directory: string, packages: string[] = []): Promise<void> {
  const file = join(directory, 'package.json')
  const asked = existsSync(file) ? readFileSync(file, 'utf8') : ''
  await withKeptPackages({
    directory,
    key: ['npm', process.version, process.arch, asked, packages],
    made: ['node_modules', 'package-lock.json', 'package.json'],
    make: () => npm(directory, ['install', '--save-exact', ...options, ...packages]),
  })
}

async function npm(cwd: string, args: string[]): Promise<void> {
  // A deadline: without a registry, npm tries for long.
  await run('npm', args, { cwd, env: { ...process.env, CI: 'true' }, timeout: 120_000 }).catch((error) => {
    const said = String(error.stderr).trim().split('\n').slice(0, 5).join('\n')
    throw new Error(`npm did not get what this test needs. Is its registry reachable?\nnpm ${args.join(' ')}\n${said}`)
  })
}
