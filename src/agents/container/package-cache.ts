// Owns the cache of package managers in containers: without one, every start would download everything again. It is shared by the
// agents of one repository, or of one workspace, who can write each other's files anyway, and by nobody else: what an agent leaves
// there is installed by the next one.
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { MoatPaths } from '../../config/paths.js'
import type { ContainerSpec } from '../../engine/engine.js'
import type { AgentPlan } from '../plan/plan-agent.js'

const target = '/var/cache/moat'

/** Only where what is downloaded is kept. Not yarn's own variable: a project may have its cache among its files. */
const variables: Readonly<Record<string, string>> = {
  BUN_INSTALL_CACHE_DIR: 'bun',
  BUNDLE_USER_CACHE: 'bundler',
  DENO_DIR: 'deno',
  GOCACHE: 'go-build',
  GOMODCACHE: 'go-mod',
  npm_config_cache: 'npm',
  PIP_CACHE_DIR: 'pip',
  pnpm_config_store_dir: 'pnpm',
  POETRY_CACHE_DIR: 'poetry',
  UV_CACHE_DIR: 'uv',
  YARN_GLOBAL_FOLDER: 'yarn',
}

export interface PackageCache {
  env: Record<string, string>
  mounts: ContainerSpec['mounts']
}

/** What the container is given; its directory is made. */
export async function planPackageCache(
  plan: Pick<AgentPlan, 'checkout' | 'clone' | 'image' | 'mainCheckout' | 'name' | 'workspace'>,
  { packages }: Pick<MoatPaths, 'packages'>,
): Promise<PackageCache> {
  const { checkout, clone, image, mainCheckout, name, workspace } = plan
  // Whoever works in a clone writes nobody else's files, and is given nobody else's either.
  const own = clone && `${clone.repository.commonDir}\0${name}`
  const shared = own ?? checkout?.commonDir ?? mainCheckout?.commonDir ?? workspace
  const source = join(packages, createHash('sha256').update(shared).digest('hex').slice(0, 16))
  await mkdir(source, { mode: 0o700, recursive: true })
  const env = Object.fromEntries(Object.entries(variables).map(([name, part]) => [name, `${target}/${part}`]))
  const hasPnpm = image.packages.some(({ packages: names }) => names.includes('pnpm'))
  return {
    env: {
      ...env,
      // An environment is made anew in each container, and is not shared.
      POETRY_VIRTUALENVS_PATH: '/tmp/virtualenvs',
      // Files cannot be linked from one mount to another, and uv would say so each time.
      UV_LINK_MODE: 'copy',
      // As pnpm up to 10 reads it; npm warns of it. Elsewhere pnpm would put its store into the workspace.
      ...(hasPnpm && { npm_config_store_dir: `${target}/pnpm` }),
    },
    mounts: [{ readOnly: false, source, target }],
  }
}
