// On the page of a problem: asks whether the problem is gone, and then shows what is there instead. Says so when nobody is
// there to be asked.
import './copy.js'

const { seen, waits } = document.body.dataset
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const line = document.getElementById('waiting')
const started = Date.now()
/** A proxy that is being started again is back within that time. Milliseconds. */
const patience = 3000

async function waitForChange() {
  /** Since when there was no answer. */
  let silent
  for (;;) {
    const response = await ask(`/_moat/changed?${new URLSearchParams({ seen })}`)
    if (response?.ok && (await response.json()).changed) return
    if (response?.ok) silent = undefined
    else {
      silent ??= Date.now()
      if (Date.now() - silent > patience) return waitForProxy()
      // A proxy that is gone, or a supervisor that is just being started again.
      await pause(500)
    }
  }
}

/** Who waits is told that it is for nothing. */
async function waitForProxy() {
  line.classList.add('gone')
  line.firstElementChild.textContent = 'The proxy does not answer any more, so nothing is waited for.'
  document.getElementById('revive').hidden = false
  while (!(await ask('/_moat/assets/icon.svg'))?.ok) await pause(1000)
}

function ask(path) {
  return fetch(path, { cache: 'no-store' }).catch(() => {})
}

/** Something listens, yet did not answer: perhaps it had only just begun. Tried once, or it would be tried for ever. */
function mayTryAgain() {
  const last = Number(sessionStorage.getItem('moat-tried') ?? 0)
  sessionStorage.setItem('moat-tried', String(Date.now()))
  return Date.now() - last > 10_000
}

/** So that it is seen that something happens. */
function countSeconds() {
  const elapsed = document.getElementById('elapsed')
  if (!elapsed) return
  setInterval(() => {
    const seconds = Math.round((Date.now() - started) / 1000)
    elapsed.textContent = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  }, 1000)
}

async function waitForIt() {
  if (waits === 'once' && !mayTryAgain()) return
  countSeconds()
  if (waits !== 'once') await waitForChange()
  // What changes at once may change at once again: the routes of a new agent are a moment behind it.
  await pause(performance.now() < 1000 ? 500 : 50)
  location.reload()
}

void waitForIt()
