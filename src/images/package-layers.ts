// Owns how packages of the languages' own registries are installed into an image. Pure.
import { dropMissingCertificates, type Layer, requireProgram, run } from './layer.js'
import { type ImagePlan, runtimeOfKind } from './plan-image.js'

type LanguageKind = ImagePlan['packages'][number]['kind']

interface Installer {
  /** The commands that install packages, given as `word` writes each. */
  commands: (words: string[]) => string[]
  program: string
  word: (name: string, version?: string) => string
}

/** What was only needed to install is removed in the same layer, or it would stay in the image. */
const installers: Readonly<Record<LanguageKind, Installer>> = {
  npm: {
    commands: (words) => [
      `npm install --global --no-audit --no-fund --no-update-notifier ${words.join(' ')}`,
      'rm -rf /root/.npm',
    ],
    program: 'npm',
    word: (name, version = 'latest') => `${name}@${version}`,
  },
  pip: {
    commands: (words) => [
      `pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore ${words.join(' ')}`,
    ],
    program: 'pip',
    // Quoted for the shell: extras stand in brackets.
    word: (name, version) => `'${name}${version === undefined ? '' : `==${version}`}'`,
  },
  go: {
    commands: (words) => [
      // A tool may need a newer Go than the project's.
      'export GOBIN=/usr/local/bin GOCACHE=/tmp/go-build GOMODCACHE=/tmp/go-mod GOTOOLCHAIN=auto',
      ...words.map((word) => `go install ${word}`),
      'rm -rf /tmp/go-build /tmp/go-mod',
    ],
    program: 'go',
    word: (name, version = 'latest') => `${name}@${version}`,
  },
  cargo: {
    commands: (words) => [
      `CARGO_TARGET_DIR=/tmp/cargo-build cargo install --locked --root /usr/local ${words.join(' ')}`,
      'rm -rf /tmp/cargo-build "${CARGO_HOME:-/root/.cargo}/registry"',
    ],
    program: 'cargo',
    word: (name, version) => (version === undefined ? name : `${name}@${version}`),
  },
}

/** One layer for each kind of package. */
export function packageLayers({ customBase, packages }: ImagePlan): Layer[] {
  return (Object.keys(installers) as LanguageKind[]).flatMap((kind) => {
    const { commands, program, word } = installers[kind]
    const words = packages
      .filter((dependency) => dependency.kind === kind)
      .flatMap(({ packages: names, version }) => names.map((name) => word(name, version)))
    if (words.length === 0) return []
    const remedy = `add ${runtimeOfKind[kind]} to dependencies, or choose a base_image that has ${program}`
    const text = run([
      ...(customBase ? [requireProgram(program, remedy)] : []),
      `{ ${dropMissingCertificates}; }`,
      ...commands(words),
    ])
    return [{ key: 'dependencies', text, title: `${program} install ${words.join(' ')}` }]
  })
}
