// Any text as the name of an agent, an endpoint or a branch: refused, or one that every URL parser takes as it stands.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { agentOfHost, partsOf } from '../../../src/pages/explain-host.js'
import { isDnsLabel, suggestDnsLabel } from '../../../src/routing/dns-label.js'
import { nearestName } from '../../../src/routing/nearest-name.js'
import { agentHost, endpointHost, endpointUrl } from '../../../src/routing/urls.js'
import { branchRunName, isBranchName } from '../../../src/worktrees/branch-name.js'
import { fuzzing, oddTexts, patience } from '../../helpers/fuzz.js'

const text = fc.oneof(
  fc.constantFrom(...oddTexts),
  fc.string({ unit: 'binary' }),
  fc.stringMatching(/^[a-zA-Z0-9._-]{0,70}$/),
  fc.stringMatching(/^[a-z0-9-]{1,63}$/),
)
const address = { domain: 'localhost', port: 8080 }

/** What a browser makes of a host, or nothing. */
function parsed(host: string): string | undefined {
  const url = `https://${host}:8080/`
  return URL.canParse(url) ? new URL(url).hostname : undefined
}

it('of an agent and an endpoint make a URL that means the same to a browser', patience, () => {
  let accepted = 0
  fc.assert(
    fc.property(text, text, (name, endpoint) => {
      if (!isDnsLabel(name)) {
        const suggestion = suggestDnsLabel(name)
        return suggestion === undefined || isDnsLabel(suggestion)
      }
      accepted += 1
      const hosts = [
        agentHost(name, 'localhost'),
        ...(isDnsLabel(endpoint) ? [endpointHost(name, endpoint, 'localhost')] : []),
      ]
      for (const host of hosts) if (parsed(host) !== host || partsOf(host, 'localhost').agent !== name) return false
      return !isDnsLabel(endpoint) || new URL(endpointUrl(name, endpoint, address)).hostname === hosts[1]
    }),
    fuzzing(),
  )
  expect(accepted).toBeGreaterThan(1_000)
})

it('of a branch make the name of a run, which is a label', patience, () => {
  fc.assert(
    fc.property(fc.option(fc.stringMatching(/^[a-z0-9]{1,63}$/), { nil: undefined }), text, (name, branch) => {
      return !isBranchName(branch) || isDnsLabel(branchRunName(name, branch))
    }),
    fuzzing(),
  )
})

it('that are mistyped are compared with any others, and found at no agent', patience, () => {
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 5 }), (typed, known) => {
      const nearest = nearestName(typed, known)
      return (nearest === undefined || known.includes(nearest)) && agentOfHost(typed, [], 'localhost') === undefined
    }),
    fuzzing(),
  )
})
