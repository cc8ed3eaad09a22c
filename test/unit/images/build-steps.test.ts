// How a build is shown, for what engines write, and what is said when it fails.
import { describe, expect, it } from 'vitest'
import { BuildFailedError, type Engine, type ImageBuild } from '../../../src/engine/engine.js'
import { type BuildEvent, buildSteps } from '../../../src/images/build-steps.js'

const layers = [
  { text: 'FROM node:22-slim' },
  { key: 'dependencies', text: 'RUN npm install', title: 'npm install' },
  { text: 'ARG PIP_CERT' },
  { key: 'hooks.post_build', text: 'RUN ["sh","-c","x"]', title: 'hooks.post_build: x' },
]

/** An engine that writes these pieces, then fails with `problem`, and says it has the image if it did not. */
function engine(pieces: string[], problem?: string, built = true): { asked: ImageBuild[]; engine: Engine } {
  const asked: ImageBuild[] = []
  const fake = {
    async *build(build: ImageBuild) {
      asked.push(build)
      yield* pieces
      if (problem !== undefined) throw new BuildFailedError(problem)
    },
    hasImage: async () => built,
  }
  return { asked, engine: fake as unknown as Engine }
}

async function follow(from: Engine, env: NodeJS.ProcessEnv = {}): Promise<BuildEvent[]> {
  const signal = new AbortController().signal
  const events: BuildEvent[] = []
  for await (const event of buildSteps(from, { env, layers, rebuild: true, signal, tag: 'moat-agent:1' }))
    events.push(event)
  return events
}

describe('buildSteps', () => {
  it('shows the steps that take time, and whole lines of what they print', async () => {
    const pieces = [
      'Step 1/4 : FROM node:22-slim\n',
      ' ---> 9c38a5c68244\n',
      'Step 2/4 : RUN npm install\n ---> Running in 0123\n',
      'add',
      'ed 3\n\u001b[91mold\rwarning\n\u001b[0m',
      'Removing intermediate container 0123\n ---> abc\nStep 3/4 : ARG PIP_CERT\n',
      'Step 4/4 : RUN ["sh","-c","x"]\nlast',
      '\nSuccessfully built abc\nSuccessfully tagged moat-agent:1\n',
    ]
    expect(await follow(engine(pieces).engine)).toEqual([
      { step: 'Step 1/2: npm install' },
      { line: 'added 3' },
      { line: 'warning' },
      { step: 'Step 2/2: hooks.post_build: x' },
      { line: 'last' },
    ])
  })

  it('follows an engine that counts otherwise in its own words', async () => {
    expect(await follow(engine(['STEP 1/5: FROM x\n', 'STEP 2/5: RUN npm install\n--> abc\n']).engine)).toEqual([
      { step: 'Step 1/5: FROM x' },
      { step: 'Step 2/5: RUN npm install' },
    ])
    expect(await follow(engine(['STEP 2/4: RUN npm install\n']).engine)).toEqual([{ step: 'Step 1/2: npm install' }])
  })

  it('hands on proxies, and certificates that the Dockerfile declares; no cache for a rebuild', async () => {
    const { asked, engine: fake } = engine([])
    await follow(fake, { HTTPS_PROXY: 'http://p', PATH: '/bin', PIP_CERT: '/ca', SSL_CERT_FILE: '/ca', no_proxy: '' })
    expect(asked).toEqual([
      {
        buildArgs: { HTTPS_PROXY: 'http://p', PIP_CERT: '/ca' },
        dockerfile: `${layers.map(({ text }) => text).join('\n')}\n`,
        noCache: true,
        tag: 'moat-agent:1',
      },
    ])
  })

  it.each([
    ['Docker', "The command '/bin/sh -c npm install' returned a non-zero code: 1"],
    ['Podman', 'building at STEP "RUN npm install": while running runtime: exit status 1'],
  ])('fails with the last 20 lines of the step, on %s', async (_, problem) => {
    const output = Array.from({ length: 30 }, (_, index) => `line ${index + 1}\n`)
    const { engine: fake } = engine(
      ['Step 1/4 : FROM x\nof another step\n', 'Step 2/4 : RUN npm install\n', ...output],
      problem,
    )
    await expect(follow(fake)).rejects.toMatchObject({
      code: 'IMAGE_BUILD',
      message: [
        'The image could not be built: exit code 1 at Step 1/2: npm install',
        ...output.slice(10).map((line) => `  ${line.trim()}`),
      ].join('\n'),
      oclif: { exit: 1 },
      suggestions: ['correct dependencies in moat.yaml'],
    })
  })

  it('knows a full disk, and an engine that ends without an image', async () => {
    const full = engine(['Step 2/4 : RUN npm install\n'], 'write /x: no space left on device')
    await expect(follow(full.engine)).rejects.toMatchObject({
      message: 'The image could not be built: write /x: no space left on device at Step 1/2: npm install',
      suggestions: ['moat clean', 'docker system df'],
    })
    await expect(follow(engine(['Step 1/4 : FROM x\n'], undefined, false).engine)).rejects.toMatchObject({
      code: 'IMAGE_BUILD',
      message: 'The image could not be built: the engine ended the build early at Step: FROM node:22-slim',
    })
  })
})
