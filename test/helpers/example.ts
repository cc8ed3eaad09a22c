// A project as its framework's own tool makes it, started as a new user starts it: moat init and moat run, with no setting.
import type { Page } from 'playwright-core'
import type { AgentView } from '../../src/routing/agent-view.js'
import { startBrowser, type TestBrowser } from './browser.js'
import { changeHot, changeLive, type Edit, follows, type Sockets, watchSockets } from './hot-reload.js'
import { Sandbox } from './sandbox.js'

type Run = AgentView & { notes?: string[] }

export class Example {
  /** Where its page is: at the host of the endpoint, and at the agent's. */
  origins: string[] = []
  readonly sandbox = new Sandbox()
  readonly #name: string
  #browser: TestBrowser | undefined

  constructor(name: string) {
    this.#name = name
  }

  /** Of the project, with these files added to it. */
  directory(files: Record<string, string> = {}): string {
    return this.sandbox.directory(this.#name, files)
  }

  /** Runs its own command, or that one, and waits until it answers. */
  async start(command: string[] = []): Promise<Run> {
    await this.#openBrowser()
    const instead = command.length > 0 ? ['--', ...command] : []
    const { code, stderr, stdout } = await this.sandbox.moat(['run', '-d', '--json', this.directory(), ...instead])
    if (code !== 0) throw new Error(`moat run exited with ${code}: ${stdout}${stderr}`)
    const waited = await this.sandbox.moat(['wait', this.#name, 'web', '--timeout', '120'])
    if (waited.code !== 0) throw new Error(`${waited.stderr}\n${await this.log()}`)
    return JSON.parse(stdout) as Run
  }

  /** With a proxy that outlives each run, and so has one port. */
  async #openBrowser(): Promise<void> {
    if (this.#browser) return
    const { port } = await this.sandbox.json<{ port: number }>(['proxy', 'start', '--detach'])
    this.origins = ['web.', ''].map((label) => `https://${label}${this.#name}.localhost:${port}`)
    this.#browser = await startBrowser(this.sandbox, port)
  }

  async stop(): Promise<void> {
    await this.sandbox.json(['stop', this.#name])
  }

  /** What it has written. */
  async log(): Promise<string> {
    const { stderr, stdout } = await this.sandbox.moat(['logs', this.#name])
    return stdout + stderr
  }

  async open(url: string): Promise<{ page: Page; sockets: Sockets }> {
    if (!this.#browser) throw new Error('It was not started.')
    const page = await this.#browser.context.newPage()
    const sockets = await watchSockets(page)
    await page.goto(url, { timeout: 90_000 })
    return { page, sockets }
  }

  /** Rejects unless a page at each of its hosts shows the next of the texts when it replaces the one before in the file. */
  async expectHot(file: string, texts: string[], sign: string, { reloads = false } = {}): Promise<void> {
    const change = reloads ? changeLive : changeHot
    for (const [index, origin] of this.origins.entries()) {
      const { page, sockets } = await this.open(`${origin}/`)
      const edit: Edit = { file, from: texts[index] ?? '', to: texts[index + 1] ?? '' }
      await page.getByText(edit.from).first().waitFor({ timeout: 60_000 })
      await follows(sockets, sign)
      // What the page has not loaded yet, the framework has no change of to tell.
      await page.waitForLoadState('networkidle')
      await change(page, edit).catch(async (error) => {
        const seen = sockets.frames.map((frame) => frame.slice(0, 300)).join('\n')
        throw new Error(`${error}\n${origin} got:\n${seen}\n${sockets.statuses} ${sockets.errors}\n${await this.log()}`)
      })
      const refused = sockets.statuses.filter((status) => status !== 200)
      if (refused.length > 0 || sockets.errors.length > 0)
        throw new Error(`A WebSocket at ${origin} was refused: ${refused} ${sockets.errors}`)
      await page.close()
    }
  }

  async cleanUp(): Promise<void> {
    await this.#browser?.close()
    await this.sandbox.cleanUp()
  }
}
