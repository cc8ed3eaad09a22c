// Images built by the real engine: what is in them, who owns them, and what a failed build leaves behind.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import Docker from 'dockerode'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { prepareImage } from '../../../src/agents/container/ensure-image.js'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import type { Engine } from '../../../src/engine/engine.js'
import { type ImagePlan, type ImageRequest, planImage } from '../../../src/images/plan-image.js'
import { imageTag, toDockerfile } from '../../../src/images/to-dockerfile.js'
import { until } from '../../helpers/until.js'

const docker = new Docker()
const user = { gid: 4321, uid: 1000 }
const images = new Set<string>()
let engine: Engine
let home: string
let shown: string[]

const progress = {
  note: (line: string) => shown.push(line),
  step: <T>(title: string, action: (update: (text: string) => void) => Promise<T>) => {
    shown.push(title)
    return action(() => {})
  },
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'moat-images-'))
  engine = await connectEngine({ moatHome: home })
})
beforeEach(() => {
  shown = []
})
afterAll(async () => {
  for (const image of images) await docker.getImage(image).remove()
  for (const id of await unnamedImages()) await docker.getImage(id).remove()
  rmSync(home, { force: true, recursive: true })
})

function plan(request: Partial<ImageRequest>): ImagePlan {
  return planImage({ dependencies: [], hooks: { postBuild: [], postBuildRoot: [] }, ...request })
}

function hooks(scripts: Partial<ImageRequest['hooks']>): ImageRequest['hooks'] {
  return { postBuild: [], postBuildRoot: [], ...scripts }
}

async function prepare(
  request: Partial<ImageRequest>,
  options: { as?: typeof user; rebuild?: boolean; signal?: AbortSignal; using?: Engine } = {},
) {
  const { as = user, rebuild = false, signal = new AbortController().signal, using = engine } = options
  const prepared = await prepareImage(using, plan(request), { progress, rebuild, signal, user: as })
  if (prepared.home) images.add(prepared.image)
  return prepared
}

/** What `script` prints in a container of the image, run as moat runs an agent. */
async function output(image: { home?: string; image: string }, script: string, as = user): Promise<string> {
  const id = await engine.create({
    command: ['sh', '-c', script],
    env: image.home === undefined ? {} : { HOME: image.home },
    image: image.image,
    labels: {},
    mounts: [],
    name: `moat-test-${randomBytes(4).toString('hex')}`,
    ports: [],
    user: as,
    workdir: '/',
  })
  try {
    const { stderr, stdout } = await engine.attach(id)
    await engine.start(id)
    const [out, errors] = await Promise.all([text(stdout), text(stderr)])
    return (out + errors).trim()
  } finally {
    await engine.remove(id)
  }
}

/** Stands in the scripts of this file's hooks, so that their containers can be told from those of other tests. */
const marker = randomBytes(4).toString('hex')

/** Containers of builds that run such a script. */
async function containers(): Promise<string[]> {
  const all = await docker.listContainers({ all: true, filters: { label: ['dev.moat.image=1'] } })
  return all.filter(({ Command }) => Command.includes(marker)).map(({ Names }) => Names.join())
}

/** What failed builds of this file leave: steps that were finished, without a name, for this file's user. */
async function unnamedImages(): Promise<string[]> {
  const found = await docker.listImages({ filters: { dangling: ['true'], label: ['dev.moat.image=1'] } })
  const ours = await Promise.all(
    found.map(async ({ Id }) => {
      const history: { CreatedBy: string }[] = await docker.getImage(Id).history()
      return history.some(({ CreatedBy }) => CreatedBy.includes(`:${user.gid}:`))
    }),
  )
  return found.filter((_, index) => ours[index]).map(({ Id }) => Id)
}

describe('an image with tools', () => {
  const request = { dependencies: ['node@22', 'git', 'jq'] }
  const tools = 'Step 1/2: apt-get install git jq'

  it('has them for a user with the host user ids and a home of its own', { timeout: 300_000 }, async () => {
    const image = await prepare(request, { rebuild: true })
    expect(shown).toEqual([tools, 'Step 2/2: user agent (1000:4321)'])
    const script =
      'git --version; jq --version; node --version; id -u; id -g; id -un; touch ~/x; ls -A ~; ls /var/lib/apt/lists'
    const lines = (await output(image, script)).split('\n')
    expect(lines).toEqual([
      expect.stringMatching(/^git version 2/),
      expect.stringMatching(/^jq-1/),
      expect.stringMatching(/^v22/),
      '1000',
      '4321',
      'agent',
      'x',
    ])
  })

  it('is built once: asking again is one request', { timeout: 300_000 }, async () => {
    const first = await prepare(request)
    shown = []
    const asked: string[] = []
    const counting = new Proxy(engine, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          asked.push(`${String(name)} ${args.join(' ')}`)
          return value.apply(target, args)
        }
      },
    })
    expect(await prepare(request, { using: counting })).toEqual(first)
    expect(shown).toEqual([])
    // The kind of engine is asked once in its life, and by every start.
    expect(asked).toEqual(['isRootless ', `hasImage ${first.image}`])
  })

  it('is labelled for the clean-up, and keeps nothing of the host environment', async () => {
    const { image } = await prepare({
      dependencies: ['node@22'],
      hooks: hooks({ postBuild: ['echo ${https_proxy:-none}'] }),
    })
    const { Config } = await docker.getImage(image).inspect()
    expect(Object.entries(Config.Labels).filter(([, value]) => value !== '')).toEqual([['dev.moat.image', '1']])
    expect(Config.User).toBe('agent')
    const base = await docker.getImage('node:22-slim').inspect()
    const variables = (env: string[]) => env.filter((variable) => !variable.startsWith('PATH='))
    expect(variables(Config.Env)).toEqual(variables(base.Config.Env))
  })
})

describe('the user of an image', () => {
  it('may have ids that the base gave to others, which keep their names', async () => {
    const as = { gid: 33, uid: 33 }
    const image = await prepare({ dependencies: ['node@22'], hooks: hooks({ postBuild: ['id -un > ~/made'] }) }, { as })
    const script = 'cat ~/made; id -un; id -gn; stat -c %U:%G ~/made; id -u www-data'
    expect((await output(image, script, as)).split('\n')).toEqual([
      'agent',
      'agent',
      'www-data',
      'agent:www-data',
      '33',
    ])
  })

  it('is root for root, whose home it is', async () => {
    const as = { gid: 0, uid: 0 }
    const image = await prepare(
      { dependencies: ['node@22'], hooks: hooks({ postBuild: ['echo $HOME > ~/made'] }) },
      { as },
    )
    images.add(image.image)
    expect(image).not.toHaveProperty('home')
    expect(await output(image, 'cat ~/made; id -u; grep -c ^agent /etc/passwd', as)).toBe('/root\n0\n0')
  })
})

describe('packages', () => {
  it('of npm are programs on the PATH', { timeout: 120_000 }, async () => {
    const image = await prepare({ dependencies: ['node@22', 'tree', 'npm:cowsay@1.6.0'] })
    expect(shown[1]).toBe('Step 2/3: npm install cowsay@1.6.0')
    expect(await output(image, 'cowsay moo')).toContain('< moo >')
  })
})

describe('a runtime on another base', () => {
  it('is copied there, and works', { timeout: 300_000 }, async () => {
    const image = await prepare({ baseImage: 'debian:bookworm-slim', dependencies: ['node@22'] })
    expect(await output(image, 'node -p process.version && npm --version')).toMatch(/^v22\.\S+\n\d+\.\d+\.\d+$/)
  })
})

describe('hooks', () => {
  it('run in order, first as root, then as the user', async () => {
    const image = await prepare({
      dependencies: ['node@22'],
      hooks: hooks({
        postBuild: [
          'echo "$(id -un) $PWD" >> /order\ncat /order > ~/order',
          'echo "it\'s \\"done\\" \\\\ $HOME" >> ~/order',
        ],
        postBuildRoot: ['echo "$(id -un) $PWD" > /order; chmod 666 /order'],
      }),
    })
    expect((await output(image, 'cat ~/order')).split('\n')).toEqual([
      'root /root',
      'agent /home/agent',
      'it\'s "done" \\ /home/agent',
    ])
  })

  it('that fail show their last output; no image has the name, no container is left', async () => {
    const request = {
      dependencies: ['node@22'],
      hooks: hooks({ postBuild: [`seq 1 30; echo broken ${marker}; exit 3`] }),
    }
    await expect(prepare(request)).rejects.toMatchObject({
      code: 'IMAGE_BUILD',
      message: [
        `The image could not be built: exit code 3 at Step 2/2: hooks.post_build: seq 1 30; echo broken ${marker}; exit 3`,
        ...Array.from({ length: 19 }, (_, index) => `  ${index + 12}`),
        `  broken ${marker}`,
      ].join('\n'),
      suggestions: ['correct hooks.post_build in moat.yaml'],
    })
    expect(await containers()).toEqual([])
    expect(await engine.hasImage(imageTag(toDockerfile(plan(request), user)))).toBe(false)
  })

  it('end with Ctrl+C', async () => {
    const abort = new AbortController()
    const building = prepare(
      { dependencies: ['node@22'], hooks: hooks({ postBuild: [`echo started ${marker}; sleep 300`] }) },
      { signal: abort.signal },
    )
    building.catch(() => {})
    await until(
      'the hook',
      async () => (await containers()).length > 0 && shown.some((line) => line.includes('sleep 300')),
    )
    abort.abort(new Error('interrupted'))
    await expect(building).rejects.toThrow('interrupted')
    await until('the removal of its container', async () => (await containers()).length === 0)
  })
})
