// Owns the check of a project: which frameworks its files show that have to know of the proxy, what moat run sets for each, and
// which line each wants to be told.
import { resolveWorkspace } from '../config/workspace.js'
import { MoatError } from '../errors.js'
import { type ProxyTrust, proxyTrust } from '../projects/behind-proxy.js'
import { detectProject } from '../projects/detect-project.js'
import { agentHost, endpointHost } from '../routing/urls.js'
import { type CheckedProject, type DoctorContext, type Finding, ok, wantedDomain, warn } from './diagnosis.js'

const check = 'project'

export async function checkProject({ project, wanted }: Pick<DoctorContext, 'project' | 'wanted'>): Promise<Finding[]> {
  if (!project) return []
  const domain = await wantedDomain({ wanted })
  const { findings, hostHint, name, proxyTrust } = await planOf(project, domain)
  if (hostHint) {
    const host = endpointHost(name, hostHint.endpoint, domain)
    const change = `${hostHint.line}   # in ${hostHint.config}`
    findings.push(warn(hostHint.title, `It refuses requests at https://${host}.`, [change]))
  }
  findings.push(...frameworksIn(proxyTrust))
  return findings.length > 0
    ? findings
    : [ok(check, 'None of the frameworks that have to know of the proxy was found.')]
}

/** Without a moat.yaml, by what `moat init` would write. */
async function planOf({ path, plan }: CheckedProject, domain: string) {
  try {
    return { ...(await plan(domain)), findings: [] as Finding[] }
  } catch (error) {
    if (!(error instanceof MoatError && error.code === 'CONFIG_MISSING')) throw error
    const workspace = await resolveWorkspace(path)
    const { command = [], env = {}, name = '' } = await detectProject(workspace)
    const trust = await proxyTrust({
      command: [command].flat(),
      domain,
      endpoint: 'web',
      env,
      host: agentHost(name, domain),
      workspace,
    })
    return { findings: [warn(check, error.message, error.suggestions ?? [])], name, proxyTrust: trust }
  }
}

function frameworksIn({ lines, settings, settled }: ProxyTrust): Finding[] {
  return [
    ...settings.map(({ ofCommand, title, variables }) => {
      const list = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
      const where = ofCommand ? ', for its command alone' : ''
      return ok(title, `moat run sets ${list.join(' ')}${where}, unless the image does.`)
    }),
    ...settled.map(({ title, why }) => ok(title, why)),
    ...lines.map(({ line, says, title, to }) => warn(title, `It ${says}.`, [`${line}   # in ${to}`])),
  ]
}
