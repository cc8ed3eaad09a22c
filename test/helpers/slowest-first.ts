// Owns which file of tests comes first: the longest, so that none is left to run by itself when all others have ended. vitest knows how
// long they take only where they have run before, which is never so on a new machine.
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take longer than most, the longest first of their project. Beneath test/unit or test/integration. */
const longest = [
  'snapshots/sequences',
  'fuzz/moat-yaml',
  'confinement/confined-config',
  'doors/greet-server',
  'engine/seal',
  'config/odd-values',
  'authority/trust',
  'run/lifecycle',
  'programs/agents',
  'services/services',
  'run/own-urls-life',
  'frameworks/python',
  'pages/browser',
  'supervisor/supervisor',
  'worktrees/wt',
  'engine/podman',
  'run/only-own-containers',
  'grants/clients',
  'gate/strict',
  'egress/opened',
  'pages/problems',
  'worktrees/clone',
  'worktrees/host-git',
  'run/own-urls',
  'worktrees/git-in-main-checkout',
  'endpoints/http-options',
  'run/own-domain',
  'supervisor/recovery',
  'run/run',
  'layer4/connections',
  'soak/descriptors',
]

const rank = ({ moduleId }: TestSpecification): number => {
  const place = longest.findIndex((file) => new RegExp(`/test/(unit|integration)/${file}\\.test\\.ts$`).test(moduleId))
  return place < 0 ? longest.length : place
}

export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    if (files.every((file) => this.ctx.cache.getTestSpecificationResult(file))) return sorted
    const projects = [...new Set(sorted.map(({ project }) => project))]
    return projects.flatMap((project) =>
      sorted.filter((file) => file.project === project).sort((one, other) => rank(one) - rank(other)),
    )
  }
}
