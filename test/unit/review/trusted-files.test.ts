// Owns the list of trusted files: that its patterns mean what the file says.
import { describe, expect, it } from 'vitest'
import { TrustedFiles } from '../../../src/review/trusted-files.js'

const list = new TrustedFiles()

describe('the list', () => {
  it.each([
    '.envrc',
    'sub/.envrc',
    '.vscode/tasks.json',
    'a/.vscode/launch.json',
    '.idea/workspace.xml',
    '.devcontainer/x/Dockerfile',
    'Makefile',
    'makefile',
    '.npmrc',
    '.yarnrc.yml',
    '.pnpmfile.cjs',
    '.husky/pre-commit',
    '.pre-commit-config.yaml',
    '.github/workflows/ci.yml',
    '.claude/settings.json',
    'CLAUDE.md',
    '.mcp.json',
    'moat.yaml',
    'a.code-workspace',
    '.env.local',
    '.git/hooks/pre-commit',
    '.git/modules/a/b/config',
    '.git/modules/a/hooks/post-checkout',
    'sub/.git',
    ...[
      'mise.local.toml',
      '.config/mise/config.toml',
      'mise-tasks/x',
      '.tool-versions',
      '.rvmrc',
      'sub/.zshenv',
      '.envrc.local',
    ],
    ...[
      'Justfile',
      'sub/x.just',
      'taskfile.yml',
      'Taskfile.dist.yaml',
      'lefthook-local.yml',
      'lefthook.json',
      '.config/lefthook.toml',
    ],
    ...[
      '.husky/_/x',
      '.npmrc',
      'bunfig.toml',
      '.yarnrc.yml',
      '.yarn/plugins/x.cjs',
      'pnpm-workspace.yaml',
      '.pnp.loader.mjs',
    ],
    ...['.pnpmfile.mjs', 'deno.jsonc', 'pyproject.toml', 'setup.cfg', 'pytest.ini', '.pylintrc', 'sub/a.pth', '.pdbrc'],
    ...[
      '.venv/bin/activate',
      '.venv/pyvenv.cfg',
      'tox.toml',
      'noxfile.py',
      '.cargo/config',
      'Cargo.toml',
      'rust-toolchain',
    ],
    ...[
      '.gdbinit',
      'target/app-gdb.py',
      '.lldbinit',
      '_vimrc',
      '.lvimrc',
      '.luarc.json',
      '.neoconf.json',
      '.helix/languages.toml',
    ],
    ...[
      '.zed/tasks.json',
      '.cursor/mcp.json',
      '.windsurf/rules/x.md',
      '.clinerules/hooks/x',
      '.kiro/hooks/x',
      'opencode.jsonc',
    ],
    ...[
      '.roo/mcp.json',
      '.amazonq/cli-agents/x.json',
      '.rules',
      'AGENTS.override.md',
      '.github/agents/x.md',
      '.aider.conf.yml',
    ],
    ...[
      '.lfsconfig',
      'CODEOWNERS',
      '.github/CODEOWNERS',
      'action.yml',
      '.forgejo/workflows/x',
      '.gitlab/ci/x.yml',
      '.woodpecker/x.yml',
    ],
    ...[
      'Dockerfile',
      'api/dockerfile',
      'Dockerfile.dev',
      'x.Dockerfile',
      'Containerfile',
      'compose.dev.yaml',
      'docker-bake.hcl',
    ],
    ...[
      'flake.lock',
      'default.nix',
      'devenv.nix',
      'ci.bazelrc',
      'WORKSPACE',
      'MODULE.bazel',
      'sub/BUILD',
      'x.bzl',
      '.bsp/x.json',
    ],
    ...[
      'gradlew.bat',
      'gradle/wrapper/gradle-wrapper.jar',
      'libs.gradle.kts',
      'gradle.properties',
      'buildSrc/x.kt',
      'pom.xml',
    ],
    ...[
      '.mvn/extensions.xml',
      'build.sbt',
      'mix.exs',
      'hie.yaml',
      '.ghci',
      '.Rprofile',
      'x.csproj',
      'Directory.Build.props',
    ],
    ...[
      'App.xcodeproj/project.pbxproj',
      '.vscode/extensions.json',
      'sub/.run/x.xml',
      'x.iml',
      '.externalToolBuilders/x.launch',
    ],
    ...[
      'eslint.config.js',
      '.eslintrc.json',
      'vite.config.mts',
      '.prettierrc',
      '.babelrc.js',
      'Gruntfile.coffee',
      'nx.json',
    ],
    ...['.rspec', '.rubocop.yml', 'x.gemspec', '.irbrc', 'ansible.cfg', 'main.tf', '.hg/hgrc', '.jj/repo/config.toml'],
    ...[
      '.git/commondir',
      '.git/modules/x/commondir',
      '.git/worktrees/x/commondir',
      '.git/remotes/origin',
      '.ssh/config',
    ],
    // As other file systems may find them.
    ...['.env\ufe0frc', '.\u00df\u0068/config', '.v\u017fcode/tasks.json', 'Make\u034ffile', 'CLAUDE.md\u3164'],
    ...['.ENVRC', '.e\u200cnvrc', 'Ma\u212aefile', 'sub/.G\u0130T/../.envrc'],
  ])('has %s', (path) => {
    expect(list.trustsIn(path)).toHaveLength(1)
  })

  it('has keys of package.json', () => {
    const parts = list.trustsIn('a/package.json').map(({ part }) => part)
    expect(parts).toEqual(expect.arrayContaining(['scripts', 'packageManager', 'lint-staged', 'pnpm']))
    expect(parts).not.toContain('dependencies')
  })

  it.each([
    'envrc',
    'x.envrc',
    '.envrc.md/x',
    'vscode/tasks.json',
    'src/Makefile.ts',
    'package.json.md',
    '.github/x.md',
    'src/config.ts',
    'src/rc.js',
    'makefiles/x',
    'docs/dockerfile.md/x',
    'README.md',
    'src/index.test.ts',
  ])('has not %s', (path) => {
    expect(list.trustsIn(path)).toEqual([])
  })
})

it('takes the first entry that fits, and keys of a file before the file', () => {
  const two = new TrustedFiles({ 'a/': 'one', 'a/b': 'two', 'c.json': 'three', 'c.json#key': 'four' })
  expect(two.trustsIn('a/b')).toEqual([{ pattern: expect.any(RegExp), text: 'a/', why: 'one' }])
  expect(two.trustsIn('c.json').map(({ why }) => why)).toEqual(['four'])
})
