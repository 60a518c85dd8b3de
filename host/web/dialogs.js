// Questions that stop everything else, and words that pass.
import { forgetToken, hasToken, takeToken, wanted, why } from './api.js';
import { Store, useStore } from './store.js';
import { html, useEffect, useRef, useState } from './view.js';

const question = new Store(null);
const said = new Store([]);
let number = 0;

// Asks: {title, text, action, danger, fields: [{name, label, type, value, hint}]}. Answers the fields' values, or null.
export function confirm(what) {
  return new Promise((answer) => question.set({ ...what, answer, number: ++number }));
}

export function say(text, tone = 'good') {
  const one = { text, tone, number: ++number };
  said.change((before) => [...before.slice(-3), one]);
  setTimeout(() => said.change((before) => before.filter((each) => each !== one)), tone === 'bad' ? 12_000 : 5_000);
}

// Does what a person asked for, and tells how it went. True: it was done.
export async function act(doing, done) {
  try {
    const value = await doing();
    if (done) say(typeof done === 'function' ? done(value) : done);
    return true;
  } catch (error) {
    say(why(error), 'bad');
    return false;
  }
}

function Field({ field }) {
  const id = `field-${field.name}`;
  const described = field.hint ? `${id}-hint` : undefined;
  const shared = { id, name: field.name, 'aria-describedby': described, required: field.required, autocomplete: 'off' };
  return html`<div class="field">
    <label for=${id}>${field.label}</label>
    ${field.type === 'long' ? html`<textarea ...${shared} rows=${field.rows ?? 4} spellcheck="false" defaultValue=${field.value ?? ''}></textarea>`
      : field.type === 'choice' ? html`<select ...${shared}>${field.choices.map((each) => html`<option value=${each} selected=${each === field.value}>${each}</option>`)}</select>`
      : html`<input ...${shared} type=${field.type ?? 'text'} defaultValue=${field.value ?? ''} inputmode=${field.inputmode} />`}
    ${field.hint && html`<p class="hint" id=${described}>${field.hint}</p>`}
  </div>`;
}

function Question({ asked }) {
  const dialog = useRef(null);
  const [wrong, setWrong] = useState('');
  const came = useRef(document.activeElement);
  useEffect(() => {
    dialog.current.showModal();
    dialog.current.querySelector('input, textarea, select, [data-first]')?.focus();
  }, []);
  const close = (value) => {
    dialog.current.close();
    question.set(null);
    asked.answer(value);
    if (came.current?.isConnected) came.current.focus();
    else document.querySelector('h1')?.focus();
  };
  const submit = (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.currentTarget));
    const problem = asked.check?.(values);
    if (problem) return setWrong(problem);
    close(values);
  };
  return html`<dialog ref=${dialog} aria-labelledby="question" onCancel=${(event) => { event.preventDefault(); close(null); }}>
    <form onSubmit=${submit}>
      <h2 id="question">${asked.title}</h2>
      ${asked.text && html`<p class="question-text">${asked.text}</p>`}
      ${asked.fields?.map((field) => html`<${Field} field=${field} />`)}
      ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
      <div class="buttons">
        <button type="button" data-first onClick=${() => close(null)}>${asked.keep ?? 'Never mind'}</button>
        <button type="submit" class=${asked.danger ? 'danger' : 'primary'}>${asked.action}</button>
      </div>
    </form>
  </dialog>`;
}

function TokenQuestion({ reason }) {
  const dialog = useRef(null);
  useEffect(() => dialog.current.showModal(), []);
  const submit = (event) => {
    event.preventDefault();
    const text = new FormData(event.currentTarget).get('token').trim();
    if (text) takeToken(text);
  };
  return html`<dialog ref=${dialog} aria-labelledby="token-question" onCancel=${(event) => event.preventDefault()}>
    <form onSubmit=${submit}>
      <h2 id="token-question">${reason}</h2>
      <p class="question-text">Its operator has written tokens into <code>agentd.toml</code>, under <code>[api]</code>. A token with the role <em>viewer</em> shows everything here, <em>operator</em> may act as well.</p>
      <div class="field">
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="off" required autofocus aria-describedby="token-hint" />
        <p class="hint" id="token-hint">Kept until this tab is closed.</p>
      </div>
      <div class="buttons">${hasToken() && html`<button type="button" onClick=${forgetToken}>Forget the old one</button>`}<button type="submit" class="primary">Go on</button></div>
    </form>
  </dialog>`;
}

function Toasts() {
  const words = useStore(said);
  return html`<div class="toasts" role="status" aria-live="polite">${words.map((each) => html`<p key=${each.number} class="toast ${each.tone}">${each.text}</p>`)}</div>`;
}

export function Dialogs() {
  const asked = useStore(question);
  const reason = useStore(wanted);
  return html`
    ${reason && html`<${TokenQuestion} key=${reason} reason=${reason} />`}
    ${asked && html`<${Question} key=${asked.number} asked=${asked} />`}
    <${Toasts} />`;
}
