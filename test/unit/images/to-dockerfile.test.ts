// The Dockerfiles of typical agents, whole; their tags; and the shell text that must be right.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { dropMissingCertificates } from '../../../src/images/layer.js'
import { type ImageRequest, planImage } from '../../../src/images/plan-image.js'
import { imageTag, toDockerfile } from '../../../src/images/to-dockerfile.js'

const run = promisify(execFile)
const person = { gid: 1000, uid: 1000 }
const root = { gid: 0, uid: 0 }

function dockerfile(request: Partial<ImageRequest>, user = person): string {
  return toDockerfile(planImage({ dependencies: [], hooks: { postBuild: [], postBuildRoot: [] }, ...request }), user)
}

describe('toDockerfile', () => {
  it.each<[string, Partial<ImageRequest>, typeof person]>([
    ['one-runtime-and-tools', { dependencies: ['node@22', 'git', 'fd'] }, person],
    [
      'two-runtimes',
      { dependencies: ['go@1.24', 'node@22', 'npm:typescript@5.9', 'go:golang.org/x/tools/gopls@v0.18.1'] },
      root,
    ],
    [
      'every-kind',
      {
        baseImage: 'my-image:1',
        dependencies: ['apt:libpq-dev', 'pip:uvicorn[standard]@0.34.0', 'cargo:just', 'claude-code', 'python'],
        hooks: { postBuild: ['one', 'two\nlines "quoted" \\'], postBuildRoot: ['as root'] },
      },
      { gid: 20, uid: 501 },
    ],
  ])('of %s', async (name, request, user) => {
    await expect(dockerfile(request, user)).toMatchFileSnapshot(`golden/${name}.Dockerfile`)
  })

  it('does not depend on the order of dependencies that install together', () => {
    expect(dockerfile({ dependencies: ['git', 'jq', 'node'] })).toBe(
      dockerfile({ dependencies: ['node', 'jq', 'git', 'git'] }),
    )
  })

  it('puts what changes most often last', () => {
    const lines = dockerfile({
      dependencies: ['node', 'git', 'npm:cowsay'],
      hooks: { postBuild: ['user-hook'], postBuildRoot: ['root-hook'] },
    })
    const places = ['FROM ', 'apt-get install', 'npm install', 'chown -R', 'root-hook', 'user-hook'].map((text) =>
      lines.indexOf(text),
    )
    expect(places).not.toContain(-1)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
  })
})

describe('imageTag', () => {
  it('is another one for other inputs, and the same for the same', () => {
    const requests: [Partial<ImageRequest>, typeof person][] = [
      [{ dependencies: ['node@22', 'git'] }, person],
      [{ dependencies: ['node@24', 'git'] }, person],
      [{ dependencies: ['node@22', 'git'] }, root],
      [{ dependencies: ['node@22', 'git'] }, { gid: 1001, uid: 1000 }],
      [{ dependencies: ['node@22', 'git'], hooks: { postBuild: ['x'], postBuildRoot: [] } }, person],
      [{ dependencies: ['node@22', 'git'], hooks: { postBuild: [], postBuildRoot: ['x'] } }, person],
      [{ baseImage: 'node:22-slim', dependencies: ['git'] }, person],
    ]
    const tags = requests.map(([request, user]) => imageTag(dockerfile(request, user)))
    expect(new Set(tags).size).toBe(requests.length)
    expect(requests.map(([request, user]) => imageTag(dockerfile(request, user)))).toEqual(tags)
    for (const tag of tags) expect(tag).toMatch(/^moat-agent:[0-9a-f]{12}$/)
  })
})

describe('certificates of the host', () => {
  it('count where the image has the file, and are forgotten elsewhere', async () => {
    const env = { PIP_CERT: '/no/such/file', SSL_CERT_FILE: '/etc/passwd' }
    const script = `${dropMissingCertificates}; echo "\${PIP_CERT-unset} \${SSL_CERT_FILE-unset} \${CURL_CA_BUNDLE-unset}"`
    const { stdout } = await run('/bin/sh', ['-c', script], { env })
    expect(stdout).toBe('unset /etc/passwd unset\n')
  })
})
