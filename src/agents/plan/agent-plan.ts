// Owns the words for a run before it is one: what is asked for, what has been read of it, and what it will be.
import type { AskedPower } from '../../approvals/power.js'
import type { MoatYaml, PartlyLoaded } from '../../config/moat-yaml.js'
import type { SnapshotTriggers } from '../../config/snapshots-schema.js'
import type { NetworkPolicy, PolicyMode } from '../../egress/policy.js'
import type { GrantName } from '../../grants/injection.js'
import type { ImagePlan } from '../../images/plan-image.js'
import type { ProxyTrust } from '../../projects/behind-proxy.js'
import type { HostHint } from '../../projects/host-hint.js'
import type { PlannedService } from '../../services/plan-services.js'
import type { LinkedCheckout } from '../../worktrees/find-checkout.js'
import type { GitPlace } from '../../worktrees/git-place.js'
import type { Repository } from '../../worktrees/repository.js'
import type { PlannedSecret } from './plan-grants.js'
import type { GivenMounts } from './plan-mounts.js'
import type { PlannedProgram, ProgramAdditions, ProgramRequest } from './plan-program.js'
import type { RegisteredEndpoints } from './register-endpoints.js'

/** What a person asked for. */
export interface RunRequest {
  /** `--allow`, each as it was typed. */
  allow?: string[]
  /** Tells which ports of the host may be used; default: those that nobody listens on. */
  isFree?: (port: number) => Promise<boolean>
  /** What holds where moat.yaml has no policy; default: permissive. */
  defaultPolicy?: PolicyMode
  /** It is to work in a clone of its own, and not in the workspace. */
  clone?: CloneRequest
  /** Replaces the command of moat.yaml. */
  command?: string[]
  /** Where moat.yaml is, if not in the workspace itself; what it says is relative to the workspace. */
  configDirectory?: string
  env: Record<string, string>
  /** `--grant`, each as it was typed. */
  grants?: string[]
  /** Called once the files of the workspace have been read, if nothing is wrong with them: the rest takes longer. */
  onRead?: () => void
  /** `source:target[:ro]`, sources relative to the working directory. */
  mounts: string[]
  name?: string
  /** Directory with a moat.yaml, as it was typed. */
  path: string
  /** Which of the user's accounts grants are of. */
  profile?: string
  /** What the command of a coding agent runs in the place of moat.yaml's command. */
  program?: ProgramRequest
}

export interface AgentPlan
  extends GivenMounts,
    RegisteredEndpoints,
    Pick<PlannedGit, 'checkout' | 'clone' | 'git' | 'mainCheckout'> {
  command: string[] | undefined
  container: MoatYaml['container']
  /** Where moat.yaml asks that whatever listens has a URL; absent when it does not. */
  discoverPlace?: string
  /** How moat.yaml is named to a person. */
  displayFile: string
  env: Record<string, string>
  /** Credentials that it may use and does not see. */
  grants: GrantName[]
  /** What the project's development server will refuse. */
  hostHint?: HostHint
  image: ImagePlan
  name: string
  /** What it may reach. */
  network: NetworkPolicy
  /** What a person should know before the start. */
  notes: string[]
  /** What moat.yaml and flags ask for beyond the container. */
  powers: AskedPower[]
  /** True when its stdin stays open, though nobody writes to it. */
  openStdin: boolean
  /** The coding agent that it is. */
  program?: PlannedProgram
  /** What its framework needs in order to trust the proxy. */
  proxyTrust: ProxyTrust
  /** Where moat.yaml names the container's runtime. */
  runtimePlace?: string
  /** Where moat.yaml says that none is taken before a run, how many are to be kept, and when more are taken. */
  snapshots: { disabledPlace?: string; retention?: number; triggers?: SnapshotTriggers }
  /** Variables whose values are read at its start. */
  secrets: PlannedSecret[]
  /** What runs beside it, for it alone. */
  services: PlannedService[]
  workspace: string
}

/** What a person asks for by `--clone`. */
export interface CloneRequest {
  /** What is to be checked out there; default: what the workspace has. */
  branch?: string
}

export interface PlannedClone {
  /** As asked for. */
  branch?: string
  repository: Repository
}

export interface PlannedGit {
  /** Of the worktree, or the clone: what the run is named after. */
  branch?: string | undefined
  /** The git worktree that the workspace is, if it is one. */
  checkout?: LinkedCheckout
  clone?: PlannedClone
  /** The repository's own directory. */
  commonDir?: string | undefined
  /** What the agent is known by besides its name when its workspace lies in a git worktree. */
  git?: { branch?: string; repository: string }
  /** The main checkout that the workspace is, if it is one. */
  mainCheckout?: GitPlace
}

/** A request with what the files of the workspace say. */
export interface ReadRequest extends PartlyLoaded {
  added: ProgramAdditions
  allow: string[]
  name: string
  /** With the grants that are asked for by name. */
  named: RunRequest & { grants: string[] }
  planned: PlannedGit
  workspace: string
}
