// Owns what a program of bin/ loads before anything else, in one file: each file more takes a millisecond, at each press of a key. A Node
// too old for moat has to be able to read it.
export { keepCompiledCode } from '../config/compile-cache.js'
export { actAsInvokingUser } from '../config/invoking-user.js'
export { nodeProblem } from '../config/node-version.js'
export { askEarly } from '../supervisor/ask-early.js'
