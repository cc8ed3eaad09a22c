// Owns how a point in time is told: as an age, in its largest unit.

const units = [
  { name: 'd', seconds: 86_400 },
  { name: 'h', seconds: 3_600 },
  { name: 'm', seconds: 60 },
]

/** `2m ago` for an ISO 8601 time. */
export function formatAge(createdAt: string, now: number = Date.now()): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(createdAt)) / 1000))
  const unit = units.find((candidate) => seconds >= candidate.seconds)
  return unit ? `${Math.floor(seconds / unit.seconds)}${unit.name} ago` : `${seconds}s ago`
}
