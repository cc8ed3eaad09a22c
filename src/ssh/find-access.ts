// Owns making out, for a new grant, which of the user's keys are meant and which keys the host has: what the user says, else what
// their ssh would do. Nothing is guessed: where several would do, they are named.
import { access, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { shellQuote } from '../config/shell-quote.js'
import { exitCodes, MoatError, messageOf } from '../errors.js'
import { type SshTarget, sshGrantName } from '../routing/grant-name.js'
import type { SshAccess, SshKey } from './access.js'
import { findAskpass } from './ask-confirm.js'
import { findHostKeys, knownName } from './known-hosts.js'
import { algorithmsOf, fingerprint, parsePublicKey } from './public-key.js'
import { readSshSettings, type SshSettings } from './ssh-settings.js'
import { type AgentKey, listAgentKeys } from './user-agent.js'
import { withKeyFile } from './with-key-file.js'

export interface SshWishes {
  confirm?: boolean | undefined
  /** Each a fingerprint or a file. */
  key?: readonly string[] | undefined
  signCommits?: boolean | undefined
}

/** A key that could be meant. */
interface Candidate extends SshKey {
  /** How it is named to a person. */
  name: string
}

/** Throws SSH_HOST, SSH_KEY and SSH_MISSING. */
export async function findSshAccess(target: SshTarget, wishes: SshWishes, env = process.env): Promise<SshAccess> {
  const { host, port } = target
  const settings = await readSshSettings(host, port === 22 ? undefined : port, env)
  assertNoAlias(target, settings)
  const hostKeys = await findHostKeys(settings.alias ?? knownName(host, port), settings.knownHosts, env)
  if (hostKeys.length === 0) throw unknownHost(target)
  if (wishes.confirm && !(await findAskpass(env))) throw noAskpass()
  const agentSocket = settings.agent === 'none' ? undefined : (settings.agent ?? env.SSH_AUTH_SOCK)
  const inAgent = agentSocket ? await listAgentKeys(agentSocket).catch(() => []) : []
  const files = await candidatesOf(settings.identityFiles, inAgent)
  const chosen = wishes.key?.length
    ? await Promise.all(wishes.key.map((text) => chosenKey(text, files, inAgent, target)))
    : usualKeys(files, settings, inAgent, target)
  for (const { file } of chosen) if (file !== undefined) await assertLoads(file)
  const byAgent = chosen.some(({ file }) => file === undefined)
  return {
    ...(byAgent && settings.agent !== undefined && { agentSocket: settings.agent }),
    ...(wishes.confirm && { confirm: true as const }),
    host,
    hostKeys,
    keys: chosen.map(({ blob, file }) => ({ blob, ...(file !== undefined && { file }) })),
    port,
    ...(wishes.signCommits && { signs: true as const }),
  }
}

/** What is connected to has to be what the name says: in the container the user's settings do not count. */
function assertNoAlias({ host, port }: SshTarget, settings: SshSettings): void {
  const real = { host: settings.hostname.toLowerCase(), port: settings.port }
  if (real.host === host && real.port === port) return
  const name = sshGrantName(real)
  const [file] = settings.isChosen ? settings.identityFiles : []
  throw new MoatError(
    'SSH_HOST',
    `Your ssh takes ${host} for ${name.slice(4)}, which agents have to call by that name.`,
    {
      exit: exitCodes.usage,
      suggestions: [`moat grant ${name}${file === undefined ? '' : ` --key ${shellQuote(`${file}.pub`)}`}`],
    },
  )
}

/** Those of the files that there are, each with its private half in the agent or in the file. */
async function candidatesOf(files: readonly string[], inAgent: readonly AgentKey[]): Promise<Candidate[]> {
  const all = await Promise.all(
    files.map(async (named): Promise<Candidate[]> => {
      // Of a key that only an agent has, settings name the public half.
      const file = named.replace(/\.pub$/, '')
      const key = await readPublicKey(`${file}.pub`)
      if (!key) return []
      if (inAgent.some(({ blob }) => blob === key.blob)) return [{ blob: key.blob, name: file }]
      return (await isThere(file)) ? [{ blob: key.blob, file, name: file }] : []
    }),
  )
  return all.flat()
}

async function chosenKey(
  text: string,
  files: readonly Candidate[],
  inAgent: readonly AgentKey[],
  target: SshTarget,
): Promise<Candidate> {
  if (/^(SHA256|MD5):/.test(text)) {
    const found = [...files, ...inAgent.map(({ blob }) => ({ blob, name: text }))].find(
      ({ blob }) => fingerprint(blob) === text,
    )
    if (found) return found
    throw noKey(`Neither your ssh agent nor the files that ssh uses for ${target.host} have a key ${text}.`, target, [
      'ssh-add -l',
    ])
  }
  const path = resolve(text.startsWith('~/') ? join(homedir(), text.slice(2)) : text)
  const file = path.replace(/\.pub$/, '')
  const key = await readPublicKey(`${file}.pub`)
  if (!key && !(await isThere(file)) && !(await isThere(`${file}.pub`)))
    throw noKey(`There is no file ${file}.pub.`, target, ['ssh-add -l'])
  if (!key)
    throw noKey(`${file}.pub is no public key that moat can read.`, target, [
      `ssh-keygen -y -f ${shellQuote(file)} > ${shellQuote(`${file}.pub`)}`,
    ])
  const [found] = await candidatesOf([file], inAgent)
  if (found) return found
  throw noKey(`The private half of ${file}.pub is neither in your ssh agent nor beside it.`, target, [
    `ssh-add ${shellQuote(file)}`,
  ])
}

/** Those the user's settings name; else the only one there is. */
function usualKeys(
  files: readonly Candidate[],
  { isChosen }: SshSettings,
  inAgent: readonly AgentKey[],
  target: SshTarget,
): Candidate[] {
  if (files.length > 0 && (isChosen || files.length === 1)) return [...files]
  const usable = inAgent.filter(({ blob }) => algorithmsOf(Buffer.from(blob, 'base64')).length > 0)
  const options = [...new Set([...files, ...usable].map(({ blob }) => blob))]
  if (options.length === 0)
    throw noKey(`There is no key of yours for ${target.host}.`, target, ['ssh-keygen -t ed25519'])
  const name = sshGrantName(target)
  throw new MoatError('SSH_KEY', `Say which of your keys agents may use for ${target.host}.`, {
    exit: exitCodes.usage,
    suggestions: options.slice(0, 5).map((blob) => {
      const file = files.find((one) => one.blob === blob)?.name
      return `moat grant ${name} --key ${file === undefined ? fingerprint(blob) : shellQuote(`${file}.pub`)}`
    }),
  })
}

async function assertLoads(file: string): Promise<void> {
  try {
    await withKeyFile(file, async () => {})
  } catch (error) {
    throw new MoatError('SSH_KEY', `moat cannot use ${file}: ${messageOf(error)}.`, {
      cause: error,
      exit: exitCodes.usage,
      suggestions: [`ssh-add ${shellQuote(file)}`],
    })
  }
}

async function readPublicKey(file: string) {
  const text = await readFile(file, 'utf8').catch(() => '')
  return parsePublicKey(text.split('\n')[0] ?? '')
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

function unknownHost({ host, port }: SshTarget): MoatError {
  const at = port === 22 ? host : `${host}, port ${port}`
  const message = `Your known_hosts has no key of ${at}, and moat lets agents log in at hosts that you know only. Connect once yourself, and compare the fingerprint.`
  return new MoatError('SSH_HOST', message, {
    exit: exitCodes.usage,
    suggestions: [`ssh ${port === 22 ? '' : `-p ${port} `}-T git@${host}`],
  })
}

function noKey(message: string, target: SshTarget, suggestions: string[]): MoatError {
  const name = sshGrantName(target)
  return new MoatError('SSH_KEY', message, {
    exit: exitCodes.usage,
    suggestions: [...suggestions, `moat grant ${name} --key ~/.ssh/id_ed25519.pub`],
  })
}

function noAskpass(): MoatError {
  return new MoatError('SSH_KEY', '--confirm needs a program that asks you, and there is no ssh-askpass here.', {
    exit: exitCodes.usage,
    suggestions: ['sudo apt-get install ssh-askpass', 'export SSH_ASKPASS=/path/to/a/program'],
  })
}
