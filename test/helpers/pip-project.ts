// Python packages from PyPI, put into a directory of a project for the Python that containers of the tests have.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { withKeptPackages } from './kept-packages.js'

const run = promisify(execFile)

/** Debian 12's. */
const forContainer = ['--python-version=3.11', '--implementation=cp', '--only-binary=:all:']

/** Exactly these, `django==5.2.19`, and what they need, in a directory for them alone. */
export async function installPython(directory: string, packages: string[]): Promise<void> {
  const key = ['pip', process.arch, forContainer, packages]
  await withKeptPackages({ directory, key, make: () => pip(directory, packages) })
}

async function pip(directory: string, packages: string[]): Promise<void> {
  const options = ['--quiet', '--disable-pip-version-check', '--retries=1', ...forContainer, `--target=${directory}`]
  await run('python3', ['-m', 'pip', 'install', ...options, ...packages], { timeout: 120_000 }).catch((error) => {
    const said = String(error.stderr).trim().split('\n').slice(-5).join('\n')
    throw new Error(`pip did not get what this test needs. Is its registry reachable?\n${said}`)
  })
}
