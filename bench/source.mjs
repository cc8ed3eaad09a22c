// What benches of single modules load them with: Node runs the sources as they are (24 or newer), whose imports name what they
// compile to.
import { registerHooks } from 'node:module'

registerHooks({
  resolve(specifier, context, next) {
    const isSource = specifier.startsWith('.') && context.parentURL?.includes('/src/')
    return next(isSource ? specifier.replace(/\.js$/, '.ts') : specifier, context)
  },
})

/** A module of src/, `caddy/admin` for one. */
export const source = (name) => import(new URL(`../src/${name}.ts`, import.meta.url))
