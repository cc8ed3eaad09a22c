// Owns that whatever an agent has put into its workspace, moat reads nothing outside of it, writes nothing through it, and
// never hangs: trees of files, links, pipes and directories under the very names that moat looks for.
import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { configDirectory } from '../../../src/agents/in-worktree.js'
import { loadMoatYaml } from '../../../src/config/moat-yaml.js'
import { replaceFile } from '../../../src/config/replace-file.js'
import { detectProject } from '../../../src/projects/detect-project.js'
import { moatYamlFor } from '../../../src/projects/write-moat-yaml.js'
import { survey } from '../../../src/review/survey.js'
import { findFile } from '../../../src/supervisor/find-file.js'

const secret = 'the-secret-of-the-host'
const names = ['moat.yaml', 'package.json', 'go.mod', 'Procfile', 'pyproject.toml', '.envrc', 'index.html', 'a', 'b']
/** What each name would say if it were read where it leads. */
const texts: Record<string, string> = {
  'go.mod': `module x/${secret}\ngo 1.24\n`,
  'moat.yaml': `name: ${secret}\n`,
  'package.json': `{"name": "${secret}", "scripts": {"dev": "${secret}"}}`,
  Procfile: `web: ${secret}\n`,
}

const path = fc
  .array(fc.constantFrom('a', 'b'), { maxLength: 2 })
  .chain((directories) => fc.constantFrom(...names).map((name) => [...directories, name].join('/')))
const target = fc.oneof(
  path,
  fc.constantFrom('.', '..', '../outside', '../../outside', 'a/..', 'a/../..', 'b/../../outside', 'OUTSIDE'),
  fc
    .constantFrom(...names)
    .chain((name) => fc.constantFrom(`../outside/${name}`, `a/../outside/${name}`, `OUTSIDE/${name}`)),
)
const entry = fc.oneof(
  fc.record({ kind: fc.constant('link' as const), path, target }),
  fc.record({ kind: fc.constantFrom('directory' as const, 'file' as const, 'pipe' as const), path }),
)

function build(
  workspace: string,
  outside: string,
  entries: readonly { kind: string; path: string; target?: string }[],
) {
  for (const { kind, path, target = '' } of entries) {
    const place = join(workspace, path)
    try {
      mkdirSync(dirname(place), { recursive: true })
      // Built within the workspace only, whatever links are there by now.
      if (!`${realpathSync.native(dirname(place))}/`.startsWith(`${workspace}/`)) continue
      if (kind === 'directory') mkdirSync(place)
      else if (kind === 'link') symlinkSync(target.replace('OUTSIDE', outside), place)
      else if (kind === 'pipe') execFileSync('mkfifo', [place], { stdio: 'ignore' })
      else writeFileSync(place, '{}', { flag: 'wx' })
    } catch {
      // A name that is taken, or below a file.
    }
  }
}

/** Everything moat does with a workspace by itself, as text. */
async function useOf(workspace: string, other: string): Promise<string> {
  const said: unknown[] = []
  const tell = async (action: () => Promise<unknown>) => said.push(await action().catch((error) => error.message))
  await tell(async () => (await loadMoatYaml(workspace, workspace)).config)
  await tell(async () => (await configDirectory(workspace, other)) && undefined)
  await tell(async () => moatYamlFor(await detectProject(workspace)))
  for (const name of names) {
    await tell(async () => {
      const found = await findFile(workspace, { browse: true, root: '.' }, `/${name}`)
      if (found?.kind !== 'file') return undefined
      return found.handle.readFile('utf8').finally(() => found.handle.close())
    })
  }
  await tell(async () => [...(await survey(workspace)).entries])
  await tell(() => replaceFile(join(workspace, 'moat.yaml'), 'name: mine\n'))
  return JSON.stringify(said)
}

it('holds for any tree', async () => {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'moat-hostile-')))
  const outside = join(place, 'outside')
  mkdirSync(outside)
  for (const name of names) writeFileSync(join(outside, name), texts[name] ?? secret)
  let number = 0
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 12 }), async (entries) => {
        number += 1
        const workspace = join(place, `app${number}`)
        mkdirSync(workspace)
        build(workspace, outside, entries)
        const before = lstatSync(workspace)
        expect(await useOf(workspace, place)).not.toContain(secret)
        expect(lstatSync(workspace).ino).toBe(before.ino)
        for (const name of names) expect(readFileSync(join(outside, name), 'utf8')).toBe(texts[name] ?? secret)
      }),
      { numRuns: 200, timeout: 5_000 },
    )
  } finally {
    rmSync(place, { force: true, recursive: true })
  }
}, 60_000)
