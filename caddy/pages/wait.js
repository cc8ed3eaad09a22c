// On the page of a problem: asks whether the problem is gone, and then shows what is there instead.

const { seen, waits } = document.body.dataset
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

async function waitForChange() {
  for (;;) {
    const response = await fetch(`/_moat/changed?${new URLSearchParams({ seen })}`, { cache: 'no-store' }).catch(
      () => {},
    )
    if (response?.ok && (await response.json()).changed) return
    // A proxy that is gone, or a supervisor that is just being started again.
    if (!response?.ok) await pause(500)
  }
}

/** Something listens, yet did not answer: perhaps it had only just begun. Tried once, or it would be tried for ever. */
function mayTryAgain() {
  const last = Number(sessionStorage.getItem('moat-tried') ?? 0)
  sessionStorage.setItem('moat-tried', String(Date.now()))
  return Date.now() - last > 10_000
}

async function waitForIt() {
  if (waits === 'once' && !mayTryAgain()) return
  if (waits !== 'once') await waitForChange()
  // What changes at once may change at once again: the routes of a new agent are a moment behind it.
  await pause(performance.now() < 1000 ? 500 : 50)
  location.reload()
}

void waitForIt()
