// Declares the coding agent Codex.
import type { AgentProgramsHook } from 'moat-cli/plugin'
import { codex } from '../codex.js'

const hook: AgentProgramsHook = async () => [codex]

export default hook
