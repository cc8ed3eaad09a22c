// Whatever becomes of a workspace, it is restored byte for byte: made-up sequences of changes, taken back by a real git.
//
// These tests may run as root, so no step follows a link, and no link leads to anything that is there outside of the test's directory.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onDemand } from '../../../src/snapshots/limits.js'
import { restoreSnapshot } from '../../../src/snapshots/restore.js'
import { openStore, takeSnapshot } from '../../../src/snapshots/snapshots.js'
import { fuzzing, patience } from '../../helpers/fuzz.js'
import { picture } from '../../helpers/picture.js'

let base: string
let workspace: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'moat-sequences-'))
  workspace = join(base, 'workspace')
  mkdirSync(workspace)
})
afterEach(() => {
  execFileSync('chmod', ['-R', 'u+rwx', base])
  rmSync(base, { force: true, recursive: true })
})

const names = ['a', 'b', 'c d', 'é', '"q"', 'x\ny', '.hidden', 'data.bin', 'main.ts', '.gitattributes', '.gitmodules']
const path = fc.array(fc.constantFrom(...names), { maxLength: 3, minLength: 1 }).map((parts) => parts.join('/'))
const content = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom('* text=auto eol=crlf\n* filter=lfs ident\n', 'a\r\nb\n$Id$\n', '').map((text) => Buffer.from(text)),
)
const mode = fc.constantFrom(0o644, 0o755, 0o600, 0o444, 0o640, 0o711, 0o777)

/** What is done at a path of the workspace, to which no link leads; `other` is another one. */
type Deed = (at: string, other: string) => void
const deed: fc.Arbitrary<Deed> = fc.oneof(
  content.map((bytes) => (at: string) => writeFileSync(at, bytes, { flag: 'w' })),
  fc.constant((at: string) => rmSync(at, { force: true, recursive: true })),
  fc.constant((at: string, other: string) => renameSync(at, other)),
  mode.map((wanted) => (at: string) => chmodSync(at, lstatSync(at).isDirectory() ? wanted | 0o500 : wanted)),
  fc.constantFrom('a', '../outside', '/nonexistent/secret', 'nowhere', '.').map((target) => (at: string) => {
    rmSync(at, { force: true, recursive: true })
    symlinkSync(target, at)
  }),
  fc.constant((at: string) => mkdirSync(at)),
)
interface Step {
  deed: Deed
  paths: [string, string]
}
const step: fc.Arbitrary<Step> = fc.record({ deed, paths: fc.tuple(path, path) })

/** Does what can be done. */
function act(steps: readonly Step[]): void {
  for (const { deed: one, paths } of steps) {
    const [at, other] = paths.map(reached)
    if (at === undefined || other === undefined) continue
    try {
      one(at, other)
    } catch {
      // Nothing is there, or something of another kind: then it is no step.
    }
  }
}

/** A path by way of directories alone, which are made; a link at its end is taken away. */
function reached(to: string): string | undefined {
  const parts = to.split('/')
  for (let count = 1; count <= parts.length; count += 1) {
    const at = join(workspace, ...parts.slice(0, count))
    const stats = lstatSync(at, { throwIfNoEntry: false })
    if (count === parts.length) {
      if (stats?.isSymbolicLink()) unlinkSync(at)
    } else if (!stats) mkdirSync(at)
    else if (!stats.isDirectory()) return undefined
  }
  return join(workspace, to)
}

test(
  '200 sequences of changes are taken back, and put back again',
  async () => {
    const store = await openStore({ home: join(base, 'home'), snapshots: join(base, 'home/snapshots') }, workspace)
    const steps = fc.array(step, { maxLength: 12, minLength: 1 })
    const property = fc.asyncProperty(steps, steps, fc.nat(3), async (one, other, chance) => {
      act(one)
      const before = picture(workspace)
      const { snapshot } = await takeSnapshot(store, { limits: onDemand, reason: 'demand' })
      act(other)
      const after = picture(workspace)
      const { failed, undo } = await restoreSnapshot(store, snapshot)
      expect(failed).toEqual([])
      expect(picture(workspace)).toEqual(before)
      if (chance > 0) return
      await restoreSnapshot(store, undo)
      expect(picture(workspace)).toEqual(after)
    })
    await fc.assert(property, fuzzing(200))
  },
  patience.timeout,
)
