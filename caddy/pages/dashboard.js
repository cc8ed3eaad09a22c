// On the index and on the pages of agents: keeps them current, filters them, and acts for who was let in by `moat open`.
import './copy.js'

const $ = (id) => document.getElementById(id)
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const trusted = globalThis.trustedTypes?.createPolicy('moat', { createHTML: (text) => text })

// --- Letting in. The key of `moat open` stands in the fragment, which is never sent anywhere by itself.

const tokenName = 'moat-token'

async function letIn() {
  const key = /^#key=([\w-]+)$/.exec(location.hash)?.[1]
  if (key) {
    history.replaceState(null, '', location.pathname)
    const response = await fetch('/_moat/key', { body: JSON.stringify({ key }), method: 'POST' }).catch(() => {})
    if (response?.ok) localStorage.setItem(tokenName, (await response.json()).token)
    else show('Not let in', 'The key in this address was used already, or is too old. Run moat open --dashboard again.')
  }
  if (localStorage.getItem(tokenName) === null) return
  const known = await ask('/_moat/token', { method: 'POST' }).catch(() => {})
  if (known?.status === 403) localStorage.removeItem(tokenName)
  setMayAct(known?.ok ?? false)
}

function setMayAct(may) {
  document.body.classList.toggle('may-act', may)
  void readLog()
}

function lock() {
  localStorage.removeItem(tokenName)
  setMayAct(false)
  say('Locked: this browser may only look.')
}

function ask(path, options = {}) {
  return fetch(path, {
    ...options,
    cache: 'no-store',
    headers: { 'X-Moat-Token': localStorage.getItem(tokenName) ?? '' },
  })
}

// --- Staying current. What comes is HTML the supervisor has made; what is on the page is changed, not replaced, so that
// neither focus nor selection is lost.

/** A connection that breaks and is back at once is not worth a word: it does each time a network interface comes or goes. */
let lost

function connect() {
  const { agent } = document.body.dataset
  const events = new EventSource(`/_moat/events${agent ? `?agent=${agent}` : ''}`)
  events.onopen = () => {
    clearTimeout(lost)
    lost = undefined
    if ($('connection').textContent === '') return
    document.body.classList.remove('stale')
    $('connection').textContent = ''
    // Another supervisor, perhaps, with another token.
    void letIn()
  }
  events.onmessage = ({ data }) => update(JSON.parse(data))
  events.onerror = () => {
    // The browser tries again by itself only when the connection broke, not when it was answered with an error.
    events.close()
    lost ??= setTimeout(() => {
      $('connection').textContent = 'The connection to the supervisor is lost. What you see is old. Trying again…'
      document.body.classList.add('stale')
    }, 1500)
    setTimeout(connect, 500)
  }
}

function update({ cards, order, summary }) {
  morph($('summary'), parse(`<div id="summary">${summary}</div>`))
  const list = $('agents')
  for (const [id, text] of Object.entries(cards)) {
    const fresh = parse(text)
    const shown = $(id)
    if (shown) morph(shown, fresh)
    else list.append(document.importNode(fresh, true))
  }
  const wanted = new Set(order)
  for (const card of [...list.children]) if (!wanted.has(card.id)) card.remove()
  for (const [index, id] of order.entries()) {
    const card = $(id)
    if (card && list.children[index] !== card) list.insertBefore(card, list.children[index] ?? null)
  }
  if (list.children.length === 0) list.replaceChildren()
  filter()
}

function parse(text) {
  const template = document.createElement('template')
  template.innerHTML = trusted ? trusted.createHTML(text) : text
  return template.content.firstElementChild
}

/** Makes `from` what `to` is, touching only what differs. What the script has filled stays, and so does what a person does. */
function morph(from, to) {
  if (from.isEqualNode(to) || from.dataset?.log) return
  for (const { name } of [...from.attributes])
    if (!to.hasAttribute(name) && name !== 'hidden' && name !== 'open') from.removeAttribute(name)
  const done = from.classList.contains('done')
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value)
  if (done) from.classList.add('done')
  const [old, fresh] = [[...from.childNodes], [...to.childNodes]]
  for (const [index, node] of fresh.entries()) {
    const present = old[index]
    if (!present) from.append(node.cloneNode(true))
    else if (present.nodeType !== node.nodeType || present.nodeName !== node.nodeName)
      present.replaceWith(node.cloneNode(true))
    else if (node.nodeType === Node.ELEMENT_NODE) morph(present, node)
    else if (present.data !== node.data) present.data = node.data
  }
  for (const node of old.slice(fresh.length)) node.remove()
}

function filter() {
  const wanted = $('filter')?.value.trim().toLowerCase() ?? ''
  for (const card of $('agents').children) {
    const hide = wanted !== '' && !card.textContent.toLowerCase().includes(wanted)
    if (card.hidden !== hide) card.hidden = hide
  }
  $('none-found').hidden = wanted === '' || [...$('agents').children].some((card) => !card.hidden)
}

// --- Acting.

function say(text) {
  $('said').textContent = text
}

const needsKey =
  'This browser has no key any more. Run moat open --dashboard in a terminal: it opens this page with one.'

/** On the page of an agent: its last lines, again and again while somebody looks. */
async function readLog() {
  const lines = document.querySelector('pre[data-log]')
  if (!lines || !document.body.classList.contains('may-act') || document.visibilityState !== 'visible') return
  const response = await ask(`/_moat/agents/${lines.dataset.log}/log`).catch(() => {})
  if (response?.status === 403) return setMayAct(false)
  if (!response?.ok) return
  const text = (await response.text()) || 'It has written nothing.'
  if (text === lines.textContent) return
  const atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40
  lines.textContent = text
  if (atEnd) lines.scrollTop = lines.scrollHeight
}
setInterval(readLog, 2000)

const actions = {
  allow({ agent, rule, run }) {
    show(`Allow ${rule} for ${agent}?`, 'At once, and until it ends.', async () => {
      $('dialog-text').textContent = 'Allowing…'
      const body = JSON.stringify({ rule })
      const response = await ask(`/_moat/agents/${run}/allow`, { body, method: 'POST' })
      if (!response.ok) return refused(response)
      $('dialog').close()
      say(`Allowed ${rule} for ${agent}`)
    })
    $('dialog-yes').textContent = 'Allow'
  },
  async log({ agent, run }) {
    show(`Log of ${agent}`, 'The last 200 lines.')
    const response = await ask(`/_moat/agents/${run}/log`)
    if (!response.ok) return refused(response)
    $('dialog-lines').textContent = (await response.text()) || 'It has written nothing.'
    $('dialog-lines').scrollTop = $('dialog-lines').scrollHeight
  },
  async record({ agent, run }) {
    const stop = new AbortController()
    show(`Requests to ${agent}`, 'Recording for 60 seconds, or until this is closed.', undefined, () => stop.abort())
    const end = Date.now() + 60_000
    while (Date.now() < end && !stop.signal.aborted) {
      const response = await readRequests(run, stop.signal).catch(() => pause(500))
      if (response && !response.ok) return refused(response)
    }
    if (!stop.signal.aborted) $('dialog-text').textContent = 'The recording has ended.'
  },
  stop({ agent, run }) {
    show(`Stop ${agent}?`, 'It is asked to end, and killed after ten seconds.', async () => {
      $('dialog-text').textContent = 'Stopping…'
      // Browsers drop connections when a network interface goes away, as that of the container does.
      const response = await ask(`/_moat/agents/${run}/stop`, { method: 'POST' }).catch(() => {})
      if (response && !response.ok) return refused(response)
      const end = Date.now() + 20_000
      while (!response && $(run) && Date.now() < end) await pause(200)
      if (!response && $(run)) return failed(new Error('there was no answer'))
      $('dialog').close()
      say(`Stopped ${agent}`)
    })
  },
}

async function readRequests(run, signal) {
  const response = await ask(`/_moat/agents/${run}/requests`, { signal })
  if (!response.ok) return response
  const lines = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (let part = await lines.read(); !part.done; part = await lines.read()) {
    const whole = (rest + part.value).split('\n')
    rest = whole.pop() ?? ''
    for (const line of whole.filter(Boolean)) addRequest(JSON.parse(line))
  }
  return response
}

function addRequest({ duration, method, status, time, url }) {
  const clock = new Date(time).toLocaleTimeString()
  const { host, pathname, search } = new URL(url)
  $('dialog-lines').append(`${clock}  ${status}  ${method.padEnd(6)} ${host}${pathname}${search}  ${duration} ms\n`)
  $('dialog-lines').scrollTop = $('dialog-lines').scrollHeight
}

async function refused(response) {
  const said = await response.json().catch(() => ({}))
  if (response.status === 403) setMayAct(false)
  $('dialog-text').textContent =
    response.status === 403 ? needsKey : (said.detail ?? `It did not work (${response.status}).`)
}

/** Opens the dialog. `yes` is what its first button does, `closed` is called when it goes away. */
function show(title, text, yes, closed) {
  const dialog = $('dialog')
  $('dialog-title').textContent = title
  $('dialog-text').textContent = text
  $('dialog-lines').textContent = ''
  $('dialog-yes').hidden = !yes
  $('dialog-yes').textContent = 'Stop'
  $('dialog-yes').onclick = () => {
    $('dialog-yes').hidden = true
    yes().catch(failed)
  }
  dialog.onclose = () => closed?.()
  dialog.showModal()
}

document.addEventListener('click', ({ target }) => {
  const button = target.closest?.('button[data-action]')
  const act = button && actions[button.dataset.action]
  if (act) Promise.resolve(act(button.dataset)).catch(failed)
})
$('unlock')?.addEventListener('click', () => $('unlock-dialog').showModal())
$('unlock-close').onclick = () => $('unlock-dialog').close()
$('lock')?.addEventListener('click', lock)
$('dialog-close').onclick = () => $('dialog').close()
$('filter')?.addEventListener('input', filter)
document.addEventListener('keydown', (event) => {
  const isTyping = event.target.closest?.('input, dialog')
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping || !$('filter')) return
  event.preventDefault()
  $('filter').focus()
})

function failed(error) {
  say(error.message)
  if ($('dialog').open) $('dialog-text').textContent = `It did not work: ${error.message}`
}

void letIn()
connect()
