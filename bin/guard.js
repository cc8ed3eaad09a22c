#!/usr/bin/env node
// The detached process that watches the git config of a main checkout while an agent works there. Started by moat itself, never by a person.
import { actAsInvokingUser, keepCompiledCode } from '../dist/terminal/first.js'

actAsInvokingUser()
keepCompiledCode()
const { runGuard } = await import('../dist/guard/guard-process.js')
await runGuard(process.argv[2] ?? '{}')
process.exit()
