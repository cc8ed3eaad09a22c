// Owns the Dockerfile of an agent's image: its layers, from the least to the most often changed. Pure.
import { createHash } from 'node:crypto'
import { builtImageName } from '../engine/built-images.js'
import { agentHome } from '../engine/container-request.js'
import { labelPrefix, labels } from '../engine/labels.js'
import { caVariables } from './build-arguments.js'
import type { RuntimeDependency } from './dependency.js'
import { dropMissingCertificates, type Layer, requireProgram, run } from './layer.js'
import { packageLayers } from './package-layers.js'
import { copySource, type ImagePlan } from './plan-image.js'

export interface HostUser {
  gid: number
  uid: number
}

/** The Dockerfile of `plan`, with a user `agent` that has the ids of `user`, unless that is root. */
export function toDockerfile(plan: ImagePlan, user: HostUser): string {
  return `${toLayers(plan, user)
    .map(({ text }) => text)
    .join('\n')}\n`
}

/** The same for the same Dockerfile, and another one for any other. */
export function imageTag(dockerfile: string): string {
  return `${builtImageName}:${createHash('sha256').update(dockerfile).digest('hex').slice(0, 12)}`
}

/** The instructions `toDockerfile` writes, in order. `inherited` are the labels of the base, as far as it is known. */
export function toLayers(plan: ImagePlan, user: HostUser, inherited: Readonly<Record<string, string>> = {}): Layer[] {
  const { hooks, packages, runtimes } = plan
  const isRoot = user.uid === 0
  const online = packages.length + hooks.postBuild.length + hooks.postBuildRoot.length > 0
  return [
    { text: `FROM ${plan.base}` },
    labelLayer(Object.keys(inherited)),
    // By number: a base made from nothing has no names.
    ...(plan.customBase ? [{ text: 'USER 0' }] : []),
    ...debianLayers(plan),
    ...runtimes.flatMap(runtimeLayers),
    ...(online ? caVariables.map((name) => ({ text: `ARG ${name}` })) : []),
    ...packageLayers(plan),
    ...(isRoot ? [] : [userLayer(user)]),
    ...hookLayers('hooks.post_build_root', hooks.postBuildRoot, '/root'),
    ...(isRoot ? [] : [{ text: 'USER agent' }, { text: `ENV PATH=${agentHome}/.local/bin:$PATH` }]),
    ...hookLayers('hooks.post_build', hooks.postBuild, isRoot ? '/root' : agentHome),
  ]
}

/**
 * Before anything runs: what a base says in moat's name must not be said by the containers of the build. Names that need
 * quoting are none of moat's; an agent's own container does without those, too.
 */
function labelLayer(inherited: readonly string[]): Layer {
  const others = inherited.filter((name) => name.startsWith(labelPrefix) && /^[\w.-]+$/.test(name))
  const emptied = new Set([...Object.values(labels).toSorted(), ...others.toSorted()])
  emptied.delete(labels.image)
  return { text: [`LABEL ${labels.image}=1`, ...[...emptied].map((name) => `${name}=""`)].join(' ') }
}

/**
 * Slim images have no certificates, and what is installed mostly talks HTTPS. Those of a base are left alone: they may
 * be a company's own, which the package would replace.
 */
const certificates = '$(test -e /etc/ssl/certs/ca-certificates.crt || echo ca-certificates)'

function debianLayers({ customBase, debianPackages, links }: ImagePlan): Layer[] {
  if (debianPackages.length === 0) return []
  const commands = [
    ...(customBase ? [requireProgram('apt-get', 'choose a base_image that is Debian or made from it')] : []),
    'apt-get update',
    `DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${debianPackages.join(' ')} ${certificates}`,
    'rm -rf /var/lib/apt/lists/*',
    ...Object.entries(links).map(([name, program]) => `ln -sf ${program} /usr/local/bin/${name}`),
  ]
  return [{ key: 'dependencies', text: run(commands), title: `apt-get install ${debianPackages.join(' ')}` }]
}

function runtimeLayers(dependency: RuntimeDependency): Layer[] {
  const { copy, name } = dependency.runtime
  const source = copySource(dependency)
  const env = Object.entries(copy.env).map(([variable, value]) => `${variable}=${value}`)
  if (copy.bin.length > 0) env.push(`PATH=${copy.bin.join(':')}:$PATH`)
  return [
    ...copy.paths.map((path) => ({
      key: 'dependencies',
      text: `COPY --from=${source} ${path} ${path}`,
      title: `${path} from ${source}`,
    })),
    ...(env.length > 0 ? [{ text: `ENV ${env.join(' ')}` }] : []),
    { key: 'dependencies', text: run([copy.setup]), title: `${name} ${dependency.version}` },
  ]
}

/**
 * Written into the files instead of asking useradd: it may be missing, and it refuses ids that are taken. Of two users
 * with one id the first is found, so `agent` goes first and a base's own user keeps its name.
 */
function userLayer({ gid, uid }: HostUser): Layer {
  const commands = [
    `sed -i '/^agent:/d' /etc/passwd`,
    `printf 'agent:*:${uid}:${gid}::${agentHome}:%s\\n' "$(command -v bash || echo /bin/sh)" | cat - /etc/passwd > /tmp/passwd`,
    'cat /tmp/passwd > /etc/passwd',
    'rm /tmp/passwd',
    `{ grep -q '^[^:]*:[^:]*:${gid}:' /etc/group || { sed -i '/^agent:/d' /etc/group && echo 'agent:*:${gid}:' >> /etc/group; }; }`,
    `mkdir -p ${agentHome}`,
    `chown -R ${uid}:${gid} ${agentHome}`,
  ]
  return { text: run(commands), title: `user agent (${uid}:${gid})` }
}

/** In exec form, whose JSON carries scripts of several lines. */
function hookLayers(key: string, scripts: readonly string[], directory: string): Layer[] {
  const layers = scripts.map((script) => ({
    key,
    text: `RUN ${JSON.stringify(['sh', '-c', `${dropMissingCertificates}; exec sh -c "$1"`, 'sh', script])}`,
    title: `${key}: ${script.trim().split('\n', 1)[0]}`,
  }))
  return layers.length > 0 ? [{ text: `WORKDIR ${directory}` }, ...layers] : []
}
