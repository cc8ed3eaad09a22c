// Owns the id that git gives to content in a repository of SHA-256. Pure.
import { createHash, hash } from 'node:crypto'

export function contentId(content: Buffer): string {
  const head = `blob ${content.length}\0`
  // In one call, which for small files is faster by half.
  if (content.length < 64 * 1024) return hash('sha256', Buffer.concat([Buffer.from(head), content]), 'hex')
  return createHash('sha256').update(head).update(content).digest('hex')
}
