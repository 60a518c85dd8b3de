// What a model is saying, while it says it. Nobody keeps these words: what they come to is in the step.
import { segment, send } from './api.js';
import { readStream } from './stream.js';
import { useEffect, useState } from './view.js';

const kTail = 4_000;   // characters of a step
const kSettle = 100;   // ms between two drawings

// {step: text} of a run for as long as it is under way.
export function useWords(run, isUnderWay) {
  const [words, setWords] = useState({});
  useEffect(() => {
    if (!isUnderWay) return undefined;
    const stop = new AbortController();
    let heard = {}, timer = null;
    const hear = ({ payload }) => {
      if (payload.kind !== 'text') return;
      heard = { ...heard, [payload.step]: ((heard[payload.step] ?? '') + payload.text).slice(-kTail) };
      timer ??= setTimeout(() => { timer = null; setWords(heard); }, kSettle);
    };
    (async () => {
      const answer = await send(`v1/events?type=model_delta&run=${segment(run)}`, { headers: { Accept: 'text/event-stream' }, signal: stop.signal });
      if (answer.ok) await readStream(answer, stop, hear);
    })().catch(() => {});  // the steps come in any case
    return () => (stop.abort(), clearTimeout(timer));
  }, [run, isUnderWay]);
  return words;
}
