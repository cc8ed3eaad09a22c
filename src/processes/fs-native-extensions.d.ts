// Types of the part of fs-native-extensions that moat uses; the package ships none.
declare module 'fs-native-extensions' {
  /** Requests an exclusive lock; false when another open file description holds it. */
  export function tryLock(fd: number): boolean
  /** Waits for an exclusive lock. */
  export function waitForLock(fd: number): Promise<void>
}
