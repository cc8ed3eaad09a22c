import { expect, it } from 'vitest'
import { PortClash } from '../../../src/agents/port-clash.js'

function hintAfter(pieces: string[], ports = [8080]): string | undefined {
  const clash = new PortClash(ports)
  for (const piece of pieces) clash.hear(piece)
  return clash.hint
}

it.each([
  ['Node', ['Error: listen EADDRINUSE: address already in use :::8080\n']],
  ['Python', ['OSError: [Errno 98] Address already in use\n']],
  ['Go', ['listen tcp :8080: bind: address already in use\n']],
  ['Spring', ['Web server failed to start. Port 8080 was already in use.\n']],
  ['musl', ['bind: Address in use\n']],
  ['two pieces', ['something before\nError: listen EADDR', 'INUSE: and so on']],
])('knows the complaint of %s', (_, pieces) => {
  expect(hintAfter(pieces)).toBe(
    "If it was port 8080 that is in use: in its container moat listens there, for the agent's own URLs. Under ports in moat.yaml it becomes the agent's.",
  )
})

it('names both ports that it may have been', () => {
  expect(hintAfter(['EADDRINUSE'], [443, 80])).toMatch(/^If it was port 443 or 80 that is in use: /)
})

it('says nothing of other failures, nor where moat does not listen', () => {
  expect(hintAfter(['Error: the cache is in use\n', 'Cannot find module'])).toBeUndefined()
  expect(hintAfter(['Error: listen EADDRINUSE'], [])).toBeUndefined()
})
