// Owns a container in which git works on a clone, so that none on this machine does: config, hooks and files of a clone are an agent's.
// The container has no network and no capabilities, nothing of the host, and the clone read-only unless something is to be put in it.
// What comes out of it is bytes, and is believed no more than the agent would be.
import { randomBytes } from 'node:crypto'
import { type Duplex, Readable } from 'node:stream'
import { workspaceTarget } from '../config/container-target.js'
import type { ContainerSpec, Engine } from '../engine/engine.js'
import type { ExecSession } from '../engine/sessions.js'
import type { VolumeOwner } from '../engine/volumes.js'
import { MoatError } from '../errors.js'

export interface HelperOptions {
  engine: Pick<Engine, 'create' | 'files' | 'remove' | 'sessions' | 'start' | 'volumes'>
  /** One that has git. */
  image: string
  /** How long git may take for an answer, unless it is given something to put in. Default: five minutes. Milliseconds. */
  patience?: number
  /** Ends the container. */
  signal: AbortSignal
  user: { gid: number; uid: number }
  volume: VolumeOwner
  /** Something is to be put into the clone. */
  writes?: boolean
}

export interface HelperOutcome {
  code: number
  stderr: string
  stdout: Buffer
}

/** How git in the container works on a clone. */
export interface CloneGit {
  /** Rejects for more output than a clone has to tell. */
  ask(args: readonly string[], input?: Buffer | Readable): Promise<HelperOutcome>
  /** What it writes, while it does. `failed` says why it did not write all. */
  stream(
    args: readonly string[],
    input: Buffer,
  ): Promise<{ failed: () => Promise<string | undefined>; stdout: Readable }>
}

/** Names of branches, and of files that have changed. Bytes. */
const mostOutput = 8 * 1024 * 1024
/** Bytes of what git complains of. */
const mostComplaints = 4096
/** The container ends by itself, also when moat was killed. Seconds. */
const longestLife = 900
/** A pipe where git expects a file, or a filter, may keep it for ever. Milliseconds. */
const longestAnswer = 300_000
/** As it works on what an agent has written. MiB. */
const memory = 2048

/** Of the clone's own settings these are not heeded; whatever else is in them stays in the container. */
const careful = ['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'gc.auto=0', 'maintenance.auto=false'].flatMap(
  (setting) => ['-c', setting],
)

/** Thrown where the image has no git. */
export class NoGitError extends Error {
  override readonly name = 'NoGitError'
}

/** Runs `action` with a git for the clone. Throws NoGitError. */
export async function withCloneHelper<T>(options: HelperOptions, action: (git: CloneGit) => Promise<T>): Promise<T> {
  const { engine, patience = longestAnswer, signal } = options
  signal.throwIfAborted()
  const containerId = await engine.create(await helperSpec(options))
  const end = () => engine.remove(containerId).catch(() => {})
  signal.addEventListener('abort', end)
  try {
    await engine.start(containerId)
    const run = (args: readonly string[]) =>
      engine.sessions.exec(containerId, { command: ['git', ...careful, '-C', workspaceTarget, ...args], tty: false })
    const version = await whole(await run(['version']))
    if (version.code !== 0) throw new NoGitError(version.stderr)
    return await action({
      ask: async (args, input) => {
        const outcome = whole(await run(args), input)
        return input instanceof Readable ? outcome : soon(outcome, patience)
      },
      stream: async (args, input) => streamed(await run(args), input),
    })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', end)
    await engine.remove(containerId)
  }
}

async function helperSpec({ engine, image, user, volume, writes = false }: HelperOptions): Promise<ContainerSpec> {
  const { id, labels } = await engine.volumes.ensure(volume)
  return {
    capabilities: 'none',
    command: [String(longestLife)],
    entrypoint: ['sleep'],
    env: {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_VALUE_0: '*',
      // Commits as they are: an agent may have others stand for them, and parents be left out.
      GIT_GRAFT_FILE: '/dev/null',
      GIT_NO_LAZY_FETCH: '1',
      GIT_NO_REPLACE_OBJECTS: '1',
      GIT_OPTIONAL_LOCKS: '0',
      GIT_TERMINAL_PROMPT: '0',
      LC_ALL: 'C',
    },
    image,
    labels: {},
    memory,
    mounts: [],
    name: `moat-clone-${randomBytes(6).toString('hex')}`,
    network: 'none',
    ports: [],
    removeAtEnd: true,
    user,
    volumes: [{ id, labels, readOnly: !writes, target: workspaceTarget }],
    workdir: '/',
  }
}

/** Throws CLONE_REFUSED when it takes too long; the container, and what runs in it, ends with the work. */
async function soon(outcome: Promise<HelperOutcome>, patience: number): Promise<HelperOutcome> {
  // Of a container that has ended.
  outcome.catch(() => {})
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const message = `git has given no answer about the clone for ${patience / 1000} s: something among its files keeps it waiting.`
    reject(new MoatError('CLONE_REFUSED', message))
  }, patience)
  try {
    return await Promise.race([outcome, promise])
  } finally {
    clearTimeout(timer)
  }
}

async function whole(session: ExecSession, input?: Buffer | Readable): Promise<HelperOutcome> {
  give(session.stdin, input)
  const [stdout, stderr, code] = await Promise.all([
    read(session.output.stdout, mostOutput),
    complaints(session.output.stderr),
    session.exitCode,
  ])
  return { code, stderr, stdout }
}

function streamed(session: ExecSession, input: Buffer) {
  give(session.stdin, input)
  const said = complaints(session.output.stderr)
  // It ends with an error where its output is not read to the end.
  const ended = session.exitCode.catch(() => 0)
  const failed = async () => {
    const [text, code] = await Promise.all([said, ended])
    return code === 0 ? undefined : `git could not pack its commits: ${text || `exit code ${code}`}`
  }
  return { failed, stdout: session.output.stdout as Readable }
}

function give(stdin: Duplex, input: Buffer | Readable | undefined): void {
  // The program may end without reading it.
  stdin.on('error', () => {})
  if (input === undefined || input instanceof Uint8Array) stdin.end(input)
  else input.on('error', (error) => stdin.destroy(error)).pipe(stdin)
}

async function read(stream: NodeJS.ReadableStream, most: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > most) throw new MoatError('CLONE_REFUSED', `The clone has more to say than ${most} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The beginning; the rest is read, and forgotten. */
async function complaints(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (text.length < mostComplaints) text += chunk.toString()
  }
  return text.slice(0, mostComplaints).trim()
}
