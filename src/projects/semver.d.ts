// Types of the parts of semver that moat uses; the package ships none.
declare module 'semver/ranges/intersects.js' {
  /** True when some version is in both ranges. Throws for what is no range. */
  export default function intersects(a: string, b: string): boolean
}
declare module 'semver/ranges/min-version.js' {
  /** The lowest version in the range. Throws for what is no range. */
  export default function minVersion(range: string): { major: number } | null
}
declare module 'semver/ranges/valid.js' {
  /** The range in its normal form; null for what is none. */
  export default function validRange(range: string): string | null
}
