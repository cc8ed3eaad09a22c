// Owns the seal of a container: what tells one that moat itself made from any that merely has its labels. Pure.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { posix } from 'node:path'
import { labelPrefix, labels } from './labels.js'

export interface SealedMount {
  readOnly: boolean
  source: string
  target: string
}

/** What a seal is made for. */
export interface SealedContainer {
  /** The image's id, which is made from the image's labels: no image can have a seal that names the image itself. */
  image?: string | undefined
  labels: Readonly<Record<string, string>>
  /** Directories and files of the host. */
  mounts?: readonly SealedMount[] | undefined
  name: string
}

/**
 * - `genuine`: moat made this very container.
 * - `copied`: moat wrote the labels, for another container.
 * - `foreign`: the seal is another key's, or labels were changed after it.
 * - `renamed`: moat made it, under the name `originalName`.
 * - `unsealed`: there is no seal.
 */
export type Verdict = 'copied' | 'foreign' | 'genuine' | 'renamed' | 'unsealed'

/** `v1.`, what it is bound to besides labels and name, then the proofs for the labels and for the whole. */
const form = /^v1\.(?<bound>|image|mounts|image\+mounts)\.(?<written>[0-9a-f]{64})\.(?<whole>[0-9a-f]{64})$/

/** The label's value. What the container's image and mounts are is bound as far as it is given. */
export function seal(key: Uint8Array, container: SealedContainer): string {
  const parts = [container.image !== undefined && 'image', container.mounts !== undefined && 'mounts']
  const bound = parts.filter(Boolean).join('+')
  return `v1.${bound}.${proofOfLabels(key, container)}.${proofOfWhole(key, bound, container)}`
}

/** `container` as the engine lists it now; `originalName` is the name that its labels stand for. */
export function judgeSeal(key: Uint8Array | undefined, container: SealedContainer, originalName: string): Verdict {
  const text = container.labels[labels.seal]
  if (!text) return 'unsealed'
  const { bound = '', whole = '', written = '' } = form.exec(text)?.groups ?? {}
  if (!key || !isSame(written, proofOfLabels(key, container))) return 'foreign'
  if (isSame(whole, proofOfWhole(key, bound, container))) return 'genuine'
  const renamedBack = proofOfWhole(key, bound, { ...container, name: originalName })
  return isSame(whole, renamedBack) ? 'renamed' : 'copied'
}

/** Labels of an image, with nothing in them: so a container does without what it would inherit. */
export function withoutInherited(inherited: Readonly<Record<string, string>> | null | undefined) {
  const names = Object.keys(inherited ?? {}).filter((name) => name.startsWith(labelPrefix))
  return Object.fromEntries(names.map((name) => [name, '']))
}

function proofOfLabels(key: Uint8Array, { labels: values }: SealedContainer): string {
  return proof(key, 'labels', sealedLabels(values))
}

function proofOfWhole(key: Uint8Array, bound: string, { image, labels: values, mounts, name }: SealedContainer) {
  return proof(key, 'container', [
    bound,
    name,
    sealedLabels(values),
    bound.includes('image') ? [image ?? null] : [],
    bound.includes('mounts') ? (mounts ?? []).map(mountText).toSorted() : [],
  ])
}

/** JSON of one shape has one text, and no two values have the same. */
export function proof(key: Uint8Array, purpose: string, content: unknown): string {
  return createHmac('sha256', key)
    .update(JSON.stringify(['moat seal 1', purpose, content]))
    .digest('hex')
}

/** An empty label is one that is not there: so an image's is taken away. */
export function sealedLabels(values: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(values)
    .filter(([name, value]) => name.startsWith(labelPrefix) && name !== labels.seal && value !== '')
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** Engines tidy paths up. */
function mountText({ readOnly, source, target }: SealedMount): string {
  return JSON.stringify([tidy(target), tidy(source), readOnly])
}

function tidy(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/$/, '')
}

export function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
