// Owns the files that grants are kept in: one each, encrypted, and bound to its name and profile, so that none passes for another.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../config/replace-file.js'
import { shellQuote } from '../config/shell-quote.js'
import { systemCode } from '../errors.js'
import { isDnsLabel } from '../routing/dns-label.js'
import { isGrantName } from '../routing/grant-name.js'
import type { Grant } from './grant.js'
import { formatGrant, type GrantName, grantCommand } from './injection.js'
import { broken, isSafeDirectory, makeSafeDirectory, readPrivately } from './private-file.js'
import { ensureKey, type KeyOptions, readKey } from './store-key.js'

const cipherName = 'aes-256-gcm'
const nonceLength = 12
const tagLength = 16
const prefix = 'moat-grant-1 '
const ending = '.grant'
/** Not every file system takes a colon, and no name of a grant has this. */
const colonInFiles = '+'

/** Undefined when there is none. Throws GRANTS_BROKEN. */
export async function readGrant(directory: string, name: GrantName, options?: KeyOptions): Promise<Grant | undefined> {
  const file = grantFile(directory, name)
  if (!(await isSafeDirectory(directory)) || !(await isSafeDirectory(profileDirectory(directory, name.profile))))
    return undefined
  const text = await readPrivately(file)
  if (text === undefined) return undefined
  const key = await readKey(directory, options)
  const again = [`moat grant revoke ${grantCommand(name)}`, `rm ${shellQuote(file)}`]
  if (!key) throw broken(file, 'the key it was encrypted with is gone', again)
  const grant = open(text, key, name)
  if (!grant) throw broken(file, 'it is not what moat wrote for this grant', again)
  return grant
}

/** Another text whenever the file of a grant is another, or others have another access to it; undefined when there is none. */
export function grantMark(directory: string, name: GrantName): string | undefined {
  const stats = lstatSync(grantFile(directory, name), { bigint: true, throwIfNoEntry: false })
  return stats && [stats.ino, stats.ctimeNs, stats.mtimeNs, stats.size, stats.mode, stats.uid].join()
}

/** All of one profile, or of all, by name. A broken one is in `broken`, and hides no other. */
export async function listGrants(
  directory: string,
  profile?: string,
): Promise<{ broken: { error: unknown; name: GrantName }[]; grants: Grant[] }> {
  const list: Awaited<ReturnType<typeof listGrants>> = { broken: [], grants: [] }
  for (const name of await grantNames(directory, profile)) {
    try {
      const grant = await readGrant(directory, name)
      if (grant) list.grants.push(grant)
    } catch (error) {
      list.broken.push({ error, name })
    }
  }
  return list
}

/** Without their content. */
export async function grantNames(directory: string, profile?: string): Promise<GrantName[]> {
  if (!(await isSafeDirectory(directory))) return []
  const profiles = profile === undefined ? (await namesIn(directory)).filter(isDnsLabel) : [profile]
  const all: GrantName[] = []
  for (const one of profiles.toSorted()) {
    const place = profileDirectory(directory, one)
    if (!(await isSafeDirectory(place))) continue
    const names = (await namesIn(place))
      .filter((name) => name.endsWith(ending))
      .map((name) => name.slice(0, -ending.length).replaceAll(colonInFiles, ':'))
    all.push(
      ...names
        .filter(isGrantName)
        .toSorted()
        .map((name) => ({ name, profile: one })),
    )
  }
  return all
}

export async function writeGrant(directory: string, grant: Grant, options?: KeyOptions): Promise<void> {
  const key = await ensureKey(directory, options)
  await makeSafeDirectory(profileDirectory(directory, grant.profile))
  await replaceFile(grantFile(directory, grant), seal(grant, key), 0o600)
}

/** Readable or not. False when there was none. */
export async function removeGrant(directory: string, name: GrantName): Promise<boolean> {
  if (!(await isSafeDirectory(directory))) return false
  try {
    await rm(grantFile(directory, name))
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

function seal(grant: Grant, key: Buffer): string {
  const nonce = randomBytes(nonceLength)
  const cipher = createCipheriv(cipherName, key, nonce).setAAD(boundTo(grant))
  const sealed = Buffer.concat([cipher.update(JSON.stringify(grant), 'utf8'), cipher.final()])
  return `${prefix}${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')}\n`
}

function open(text: string, key: Buffer, name: GrantName): Grant | undefined {
  if (!text.startsWith(prefix)) return undefined
  const bytes = Buffer.from(text.slice(prefix.length), 'base64')
  const body = nonceLength + tagLength
  if (bytes.length <= body) return undefined
  try {
    const decipher = createDecipheriv(cipherName, key, bytes.subarray(0, nonceLength), { authTagLength: tagLength })
    decipher.setAAD(boundTo(name)).setAuthTag(bytes.subarray(nonceLength, body))
    // What has passed the tag is moat's own.
    return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(body)), decipher.final()]).toString()) as Grant
  } catch {
    return undefined
  }
}

function boundTo({ name, profile }: GrantName): Buffer {
  return Buffer.from(`${prefix}${profile}/${name}`)
}

function profileDirectory(directory: string, profile: string): string {
  return join(directory, profile)
}

function grantFile(directory: string, { name, profile }: GrantName): string {
  // Both come from labels and flags: neither may lead out of here.
  if (!isGrantName(name) || !isDnsLabel(profile))
    throw broken(
      directory,
      `${JSON.stringify(formatGrant({ name, profile }))} is not a valid name for a grant`,
      'moat grant list',
    )
  return join(profileDirectory(directory, profile), `${name.replaceAll(':', colonInFiles)}${ending}`)
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory)
}
