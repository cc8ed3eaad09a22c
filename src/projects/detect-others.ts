// Owns what the files of Ruby, Go, Rust and Java projects say about how they are run.
import { isNewEnough } from '../config/is-new-enough.js'
import { suggestDnsLabel } from '../routing/dns-label.js'
import { chooseVersion, firstLine, toolVersion } from './choose-version.js'
import type { Project, ReadProjectFile } from './project.js'

const rubyFrameworks: { command: string[]; name: RegExp; port: number; title: string }[] = [
  { command: ['rails', 'server', '-b', '0.0.0.0'], name: /^\s*gem ["']rails["']/m, port: 3000, title: 'rails' },
  { command: ['rackup', '--host', '0.0.0.0', '--port', '9292'], name: /^\s*gem ["']rack/m, port: 9292, title: 'rack' },
]

export async function detectRuby(read: ReadProjectFile): Promise<Project | undefined> {
  const gemfile = await read('Gemfile')
  if (gemfile === undefined) return undefined
  const [pinned, toolVersions] = await Promise.all([read('.ruby-version'), read('.tool-versions')])
  const said = /^\s*ruby\s+["']([^"']+)["']/m.exec(gemfile)?.[1]
  const version = chooseVersion('ruby', [firstLine(pinned), toolVersion(toolVersions, 'ruby'), said])
  const framework = rubyFrameworks.find(({ name }) => name.test(gemfile))
  const from = (await read('Gemfile.lock')) === undefined ? 'Gemfile' : 'Gemfile.lock'
  return {
    // Many gems are compiled.
    dependencies: [`ruby@${version}`, 'build-essential'],
    evidence: ['Gemfile', ...(framework ? [framework.title] : [])],
    ...(framework && { command: ['bundle', 'exec', ...framework.command], port: framework.port }),
    install: { command: 'bundle install', from },
  }
}

/** The oldest compiler to be used: newer ones build what is written for older ones. */
const oldestGo = '1.24'

export async function detectGo(read: ReadProjectFile): Promise<Project | undefined> {
  const module = await read('go.mod')
  if (module === undefined) return undefined
  const said = /^go (\d+\.\d+)/m.exec(module)?.[1] ?? oldestGo
  const name = /^module \S*?([^/\s]+)$/m.exec(module)?.[1]
  const label = name === undefined ? undefined : suggestDnsLabel(name)
  const locked = (await read('go.sum')) !== undefined
  return {
    command: ['go', 'run', '.'],
    dependencies: [`go@${isNewEnough(said, oldestGo) ? said : oldestGo}`],
    evidence: ['go.mod'],
    ...(locked && { install: { command: 'go mod download', from: 'go.sum' } }),
    port: 8080,
    ...(label !== undefined && { name: label }),
  }
}

export async function detectRust(read: ReadProjectFile): Promise<Project | undefined> {
  const manifest = await read('Cargo.toml')
  if (manifest === undefined) return undefined
  const name = /^name\s*=\s*"([^"]+)"/m.exec(manifest)?.[1]
  const label = name === undefined ? undefined : suggestDnsLabel(name)
  const locked = (await read('Cargo.lock')) !== undefined
  return {
    command: ['cargo', 'run'],
    dependencies: ['rust'],
    evidence: ['Cargo.toml'],
    ...(locked && { install: { command: 'cargo fetch --locked', from: 'Cargo.lock' } }),
    port: 8080,
    ...(label !== undefined && { name: label }),
  }
}

/** Those of Spring Boot; how another is started nothing here says. */
export async function detectJava(read: ReadProjectFile): Promise<Project | undefined> {
  const [pom, gradle, gradleKotlin] = await Promise.all(['pom.xml', 'build.gradle', 'build.gradle.kts'].map(read))
  const build = pom ?? gradle ?? gradleKotlin
  if (build === undefined) return undefined
  const [file, tool, goal] =
    pom === undefined
      ? [gradle === undefined ? 'build.gradle.kts' : 'build.gradle', 'gradle', 'bootRun']
      : ['pom.xml', 'maven', 'spring-boot:run']
  const isSpring = build.includes('org.springframework.boot')
  // Debian's Gradle is too old for what is written today: a project brings its own, which it downloads.
  const program = tool === 'maven' ? 'mvn' : './gradlew'
  return {
    ...(isSpring && { command: [program, goal] }),
    dependencies: tool === 'maven' ? ['java', 'maven'] : ['java'],
    evidence: [file, ...(isSpring ? ['Spring Boot'] : [])],
    port: 8080,
  }
}
