// In the frame with the last lines of a log: keeps them current while somebody looks.

const lines = document.getElementById('lines')
/** Nobody waits for longer in front of a page that does not change. */
const end = Date.now() + 600_000

async function refresh() {
  if (document.visibilityState !== 'visible') return
  const response = await fetch(location.href, { cache: 'no-store' }).catch(() => {})
  if (!response?.ok) return
  const text = await response.text()
  if (text === lines.textContent) return
  lines.textContent = text
  toEnd()
}

function toEnd() {
  lines.scrollTop = lines.scrollHeight
}

toEnd()
const timer = setInterval(() => {
  if (Date.now() > end) clearInterval(timer)
  else void refresh()
}, 2000)
