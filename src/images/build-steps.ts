// Owns a build as a person follows it: its steps, what each prints, and what is said when one fails.
import { stripVTControlCharacters } from 'node:util'
import { BuildFailedError, type Engine } from '../engine/engine.js'
import { MoatError } from '../errors.js'
import { buildArguments } from './build-arguments.js'
import type { Layer } from './layer.js'

/** A step that begins, or a line that the present one prints. */
export type BuildEvent = { line: string } | { step: string }

export interface BuildStepsOptions {
  env?: NodeJS.ProcessEnv
  /** What the Dockerfile consists of. */
  layers: readonly Layer[]
  rebuild: boolean
  signal: AbortSignal
  tag: string
}

/** How much of a failed step's output is shown. Lines. */
const shownOutput = 20

/** Builds the image while it is iterated. Throws IMAGE_BUILD with the output of the step that failed. */
export async function* buildSteps(engine: Engine, options: BuildStepsOptions): AsyncGenerator<BuildEvent, void> {
  const { env, layers, rebuild, signal, tag } = options
  const dockerfile = `${layers.map(({ text }) => text).join('\n')}\n`
  const steps = new StepReader(layers)
  try {
    const build = { buildArgs: buildArguments(dockerfile, env), dockerfile, noCache: rebuild, tag }
    for await (const line of linesOf(engine.build(build, signal))) {
      const event = steps.read(line)
      if (event) yield event
    }
  } catch (error) {
    if (error instanceof BuildFailedError) throw failure(error, steps)
    throw error
  }
  if (!(await engine.hasImage(tag))) throw failure(new BuildFailedError('the engine ended the build early'), steps)
}

/** What engines note about their own work: ids of layers and containers, Podman's log. */
const engineNotes =
  /^( ?-+> |Removing intermediate container |Successfully (built|tagged) |COMMIT |[0-9a-f]{64}$|time="[^"]*" level=\w+ msg=)/

/** Follows the engine's `Step 3/9 : RUN …` (Podman: `STEP 3/9: RUN …`) through the layers. */
class StepReader {
  layer: Layer | undefined
  output: string[] = []
  readonly #layers: readonly Layer[]
  readonly #titled: readonly Layer[]

  constructor(layers: readonly Layer[]) {
    this.#layers = layers
    this.#titled = layers.filter(({ title }) => title !== undefined)
  }

  read(line: string): BuildEvent | undefined {
    const groups = /^step (?<number>\d+)\/(?<count>\d+) ?: (?<instruction>.*)$/i.exec(line)?.groups
    if (!groups) return this.#readOutput(line)
    this.output = []
    // An engine that counts otherwise has put in instructions of its own: then its words are shown.
    const same = Number(groups.count) === this.#layers.length
    this.layer = same ? this.#layers[Number(groups.number) - 1] : { text: groups.instruction ?? '' }
    if (!same) return { step: `Step ${groups.number}/${groups.count}: ${shorten(groups.instruction ?? '')}` }
    return this.layer?.title === undefined ? undefined : { step: this.describe() }
  }

  /** `Step 2/4: npm install …`, counting the steps that are shown. */
  describe(): string {
    const place = this.layer ? this.#titled.indexOf(this.layer) : -1
    const number = place < 0 ? '' : ` ${place + 1}/${this.#titled.length}`
    return `Step${number}: ${shorten(this.layer?.title ?? this.layer?.text ?? 'start')}`
  }

  #readOutput(line: string): BuildEvent | undefined {
    if (engineNotes.test(line)) return undefined
    this.output.push(line)
    if (this.output.length > shownOutput) this.output.shift()
    return { line: shorten(line) }
  }
}

/** Whole lines, without colours and without what a carriage return overwrites. */
async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string, void> {
  let rest = ''
  for await (const piece of pieces) {
    const lines = `${rest}${piece}`.split('\n')
    rest = lines.pop() ?? ''
    yield* lines.map(lastWritten).filter(Boolean)
  }
  yield* [lastWritten(rest)].filter(Boolean)
}

function lastWritten(line: string): string {
  return stripVTControlCharacters(line).trimEnd().split('\r').at(-1) ?? ''
}

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text
}

function failure(cause: BuildFailedError, steps: StepReader): MoatError {
  const code = /returned a non-zero code: (\d+)|exit status (\d+)/.exec(cause.message)
  const reason = code ? `exit code ${code[1] ?? code[2]}` : cause.message.trim().replace(/\.$/, '')
  const lines = [`The image could not be built: ${reason} at ${steps.describe()}`, ...steps.output]
  return new MoatError('IMAGE_BUILD', lines.join('\n  '), { cause, suggestions: remedies(cause, steps) })
}

function remedies(cause: BuildFailedError, { layer, output }: StepReader): string[] {
  if (/no space left on device/i.test([cause.message, ...output].join('\n'))) {
    return ['moat clean', 'docker system df']
  }
  if (/exec: "(\/bin\/)?sh": .*no(t found| such file)/i.test(cause.message)) {
    return ['choose a base_image that has a shell (/bin/sh), e.g. base_image: debian:bookworm-slim']
  }
  return [layer?.key ? `correct ${layer.key} in moat.yaml` : 'moat run --rebuild']
}
