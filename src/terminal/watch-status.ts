// Owns `moat proxy status --watch`: a live screen for a person, one JSON object a line for a program.
import { exitCodes, MoatError } from '../errors.js'
import type { IndexView } from '../pages/view.js'
import { type ControlStream, watchIndex } from '../supervisor/control-client.js'
import { findProxy, type ProxyOptions } from '../supervisor/proxy.js'
import { isDrawable } from './drawable.js'
import { formatLiveStatus } from './format-live-status.js'
import { Interrupts } from './interrupts.js'
import { openLiveScreen } from './live-screen.js'

export interface WatchOptions {
  json: boolean
  proxy: ProxyOptions
}

/** Resolves when the person has seen enough, or the proxy has been stopped. */
export async function watchStatus({ json, proxy }: WatchOptions): Promise<void> {
  if (!json && !(process.stdin.isTTY && isDrawable(process.stdout))) {
    const reason = process.stdin.isTTY && process.stdout.isTTY ? 'this one cannot be drawn on' : 'there is none'
    throw new MoatError('USAGE', `--watch needs a terminal, and ${reason}.`, {
      exit: exitCodes.usage,
      suggestions: ['moat proxy status --watch --json', 'moat proxy status'],
    })
  }
  const interrupts = new Interrupts()
  try {
    await (json ? printViews(proxy, interrupts) : drawViews(proxy, interrupts))
  } finally {
    interrupts.release()
  }
}

async function printViews(proxy: ProxyOptions, interrupts: Interrupts): Promise<void> {
  const stream = await follow(proxy, (view) => process.stdout.write(`${JSON.stringify(view)}\n`))
  interrupts.onInterrupt(() => stream.release())
  process.stdout.once('error', () => stream.release())
  assertStopped(await stream.ended)
}

async function drawViews(proxy: ProxyOptions, interrupts: Interrupts): Promise<void> {
  let show = (_view: IndexView) => {}
  const stream = await follow(proxy, (view) => show(view))
  const screen = openLiveScreen(process.stdin, process.stdout, () => stream.release())
  show = (view) => screen.draw((size) => formatLiveStatus(view, size))
  interrupts.onInterrupt(() => stream.release())
  let end: 'lost' | 'stopped'
  try {
    end = await stream.ended
  } finally {
    screen.close()
  }
  assertStopped(end)
}

async function follow(proxy: ProxyOptions, onView: (view: IndexView) => void): Promise<ControlStream> {
  const running = await findProxy(proxy)
  const stream = running && (await watchIndex(proxy.paths.controlSocket, onView))
  if (stream) return stream
  throw new MoatError('SUPERVISOR_FAILED', 'The routing proxy is not running.', { suggestions: ['moat proxy start'] })
}

function assertStopped(end: 'lost' | 'stopped'): void {
  if (end === 'stopped') return
  throw new MoatError('SUPERVISOR_FAILED', "The proxy's supervisor ended unexpectedly.", {
    suggestions: ['moat proxy status --watch'],
  })
}
