// Owns the check of the Node.js that runs moat.
import { nodeProblem } from '../config/node-version.js'
import { type DoctorContext, type Finding, fail, ok } from './diagnosis.js'

export async function checkNode(
  { platform }: Pick<DoctorContext, 'platform'>,
  version: string = process.versions.node,
): Promise<Finding[]> {
  const problem = nodeProblem(version, platform)
  return [problem ? fail('node', problem.message, [problem.command]) : ok('node', `Node.js ${version}.`)]
}
