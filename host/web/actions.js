// What people may do to agents and runs; what destroys is asked for twice.
import { ask, segment } from './api.js';
import { act, confirm } from './dialogs.js';
import { putAgent } from './fleet.js';
import { toRun } from './route.js';

const kReason = { name: 'reason', label: 'Reason (may be left out)', hint: 'Kept in the record, for whoever asks later.' };
const said = (values) => (values?.reason ? { reason: values.reason } : {});

async function mode(id, verb, body, done) {
  await act(async () => putAgent(await ask(`v1/agents/${segment(id)}/${verb}`, { method: 'POST', body })), done);
}

export const pauseAgent = (id) => mode(id, 'pause', {}, `${id} is paused: no schedule and no trigger starts it; you still can.`);
export const resumeAgent = (id) => mode(id, 'resume', {}, `${id} is resumed.`);
export const startAgent = (id) => mode(id, 'start', {}, `${id} is started.`);

export async function stopAgent(id) {
  const answer = await confirm({
    title: `Stop ${id}?`, action: 'Stop it', danger: true, fields: [kReason],
    text: 'What it runs now is cancelled, and nothing starts it until somebody starts it again; not even you by hand. To let it only sit out its schedule, pause it.',
  });
  if (answer) await mode(id, 'stop', said(answer), `${id} is stopped.`);
}

export async function deleteAgent(id) {
  const answer = await confirm({ title: `Delete ${id}?`, text: 'The agent is removed from this host, and what it runs or has in its queue is cancelled. Its runs stay on record until they are pruned.', action: 'Delete it', danger: true });
  return answer !== null && act(() => ask(`v1/agents/${segment(id)}`, { method: 'DELETE' }), `${id} is deleted.`);
}

export async function runNow(id) {
  await act(() => ask(`v1/agents/${segment(id)}/runs`, { method: 'POST', body: {} }), ({ duplicate }) => (duplicate ? `${id} has that run already.` : `${id} has a new run.`));
}

export async function runWith(id) {
  const answer = await confirm({
    title: `Run ${id} now`, action: 'Run it',
    fields: [{ name: 'query', label: 'Query', type: 'long', hint: 'Left empty: the query of its manifest.' },
             { name: 'params', label: 'Parameters, as a JSON object', type: 'long', hint: 'Left empty: those of its manifest.' }],
    check: ({ params }) => objectProblem(params),
  });
  if (!answer) return;
  const body = {};
  if (answer.query.trim()) body.query = answer.query;
  if (answer.params.trim()) body.params = JSON.parse(answer.params);
  let run = null;
  if (await act(async () => { run = (await ask(`v1/agents/${segment(id)}/runs`, { method: 'POST', body })).run_id; })) location.hash = toRun(run);
}

function objectProblem(text) {
  if (!text?.trim()) return '';
  try {
    const read = JSON.parse(text);
    return read !== null && typeof read === 'object' && !Array.isArray(read) ? '' : 'The parameters are a JSON object: {"name": "value"}';
  } catch (error) {
    return `The parameters are no JSON: ${error.message}`;
  }
}

export async function cancelRun(id) {
  const answer = await confirm({ title: 'Cancel this run?', text: 'What it has done stays done; nothing more is done.', action: 'Cancel the run', keep: 'Let it go on', danger: true, fields: [kReason] });
  return answer !== null && act(() => ask(`v1/runs/${segment(id)}/cancel`, { method: 'POST', body: said(answer) }), 'The run is cancelled.');
}

export async function retryRun(id) {
  let run = null;
  if (await act(async () => { run = (await ask(`v1/runs/${segment(id)}/retry`, { method: 'POST', body: {} })).run_id; }, 'It is asked for again, as a new run.')) location.hash = toRun(run);
}

export async function forgetRun(id) {
  const answer = await confirm({ title: 'Forget this run?', text: 'The run and all its records are removed from the ledger, for good. Copies of its events elsewhere are not reached.', action: 'Forget it', danger: true });
  return answer !== null && act(() => ask(`v1/runs/${segment(id)}`, { method: 'DELETE' }), 'The run is forgotten.');
}

export async function decide(approval, approve) {
  const answer = await confirm({
    title: `${approve ? 'Approve' : 'Deny'} ${approval.tool}?`, action: approve ? 'Approve' : 'Deny', danger: !approve,
    text: approval.about === 'outcome' ? (approve ? 'The run goes on without knowing; the call is not made again.' : 'The run is given up.') : approve ? 'The call is made as soon as this is on record, with exactly the arguments that you have seen.' : 'The call is not made; the model is told so, with your reason, and goes on.',
    fields: [{ name: 'by', label: 'Your name (may be left out)', value: rememberedName() }, { ...kReason, hint: approve ? kReason.hint : 'The model reads it.' }],
  });
  if (!answer) return false;
  rememberName(answer.by);
  const body = { arguments_hash: approval.arguments_hash, ...said(answer), ...(answer.by ? { by: answer.by } : {}) };
  return act(() => ask(`v1/approvals/${segment(approval.call_id)}/${approve ? 'approve' : 'deny'}`, { method: 'POST', body }), `${approval.tool} is ${approve ? 'approved' : 'denied'}.`);
}

function rememberedName() { try { return sessionStorage.getItem('agentd-name') ?? ''; } catch { return ''; } }
function rememberName(name) { try { sessionStorage.setItem('agentd-name', name); } catch { /* asked again */ } }

export async function releaseRun(id) {
  return act(() => ask(`v1/quarantine/${segment(id)}/retry`, { method: 'POST', body: {} }), 'The run goes on, with what it has done so far.');
}

export async function dropRun(id) {
  const answer = await confirm({ title: 'Drop this run?', text: 'It is given up: it stays on record and is never tried again.', action: 'Drop it', danger: true, fields: [kReason] });
  return answer !== null && act(() => ask(`v1/quarantine/${segment(id)}/drop`, { method: 'POST', body: said(answer) }), 'The run is dropped.');
}

export async function editRun(run) {
  const answer = await confirm({
    title: 'Change what is asked', action: 'Keep the change', text: 'The run stays in quarantine; let it go on when it is as it should be.',
    fields: [{ name: 'query', label: 'Query', type: 'long', rows: 6, value: run.query ?? '', hint: 'Left empty: the query of its manifest.' },
             { name: 'params', label: 'Parameters, as a JSON object', type: 'long', rows: 8, value: run.params ? JSON.stringify(run.params, null, 2) : '', hint: 'Left empty: those of its manifest.' }],
    check: ({ params }) => objectProblem(params),
  });
  if (!answer) return false;
  const body = { query: answer.query.trim() ? answer.query : null, params: answer.params.trim() ? JSON.parse(answer.params) : null };
  return act(() => ask(`v1/quarantine/${segment(run.run_id)}`, { method: 'PATCH', body }), 'What is asked is changed.');
}

export async function raiseBudget(budget) {
  const isMoney = budget.resource === 'cost';
  const answer = await confirm({
    title: `Raise the limit of ${budget.scope} for today`, action: 'Raise it',
    text: 'For the day of this budget alone; tomorrow has the limit of the configuration again. Runs that wait for it go on.',
    fields: [{ name: 'amount', label: isMoney ? 'By so many dollars' : 'By so many tokens', inputmode: 'decimal', required: true }, { name: 'by', label: 'Your name (may be left out)', value: rememberedName() }],
    check: ({ amount }) => (Number(amount) > 0 ? '' : 'Write a number above 0.'),
  });
  if (!answer) return false;
  rememberName(answer.by);
  const body = { scope: budget.scope, resource: budget.resource, amount: Number(answer.amount), ...(answer.by ? { by: answer.by } : {}) };
  return act(() => ask('v1/budgets/raise', { method: 'POST', body }), `The limit of ${budget.scope} is raised.`);
}
