// Declares the coding agent Claude Code.
import type { AgentProgramsHook } from 'moat-cli/plugin'
import { claude } from '../claude.js'

const hook: AgentProgramsHook = async () => [claude]

export default hook
